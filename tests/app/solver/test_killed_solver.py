"""``kill -9`` at every point of a solver's turn: the next process settles what rests once, and no more."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app.dying import start_program
from app.solver.solver_stage import Stage

from onchain_exec.app.path.context import Step
from onchain_exec.clearing.settle import Scheme
from onchain_exec.oms import OrderState, reconcile
from onchain_exec.oms.signed_book import RestState

PROGRAM = Path(__file__).with_name("killed_solver.py")

# the gate has one point before anything is signed, one before it is sent, one before the book is told
GATE = ["ACCEPTED", "JOURNALLED", "BEFORE_BOOK"]
STEPS = (
    Step.CHECKED,
    Step.BUILT,
    Step.SIMULATED,
    Step.LEASED,
    Step.SIGNED,
    Step.SENT,
    Step.CONFIRMED,
    Step.RECORDED,
)
DEEP = [*(step.name for step in STEPS), "AFTER_BOOK"]


@pytest.fixture(scope="module")
def run_turn() -> Iterator[Callable[[Stage, str], int]]:
    """Take a turn in a process that dies at a point; return how it ended."""
    with start_program(PROGRAM) as ask:

        def run(stage: Stage, point: str) -> int:
            return ask(
                {
                    "url": stage.sandbox.url,
                    "journal": str(stage.journal),
                    "deployment": stage.sandbox.deployment.to_json(),
                    "key": stage.sandbox.trader.key,
                    "point": point,
                }
            )

        yield run


@pytest.mark.parametrize("point", [*GATE, *(pytest.param(name, marks=pytest.mark.deep) for name in DEEP)])
async def test_turn_killed_at_a_point_settles_once(
    stage: Stage, point: str, run_turn: Callable[[Stage, str], int]
) -> None:
    orders = [
        stage.sign(stage.order(0, (10, "WETH"), (25_000, "USDC"))),
        stage.sign(stage.order(2, (15_000, "USDC"), (4.5, "WETH")), Scheme.PRESIGN),
    ]
    async with stage.solving() as solving:
        solving.rest(*orders)
        since = await solving.context.node.get_block("latest")
    sent_before = stage.count_sent()
    assert run_turn(stage, point) == -signal.SIGKILL

    async with stage.solving() as solving:
        for _ in range(3):  # the rest of that turn, what its end lets settle, and nothing more
            turn = await solving.solver.take_turn()
            assert turn.waits_for == ()
        filled = [view for view in solving.context.journal.read_orders() if view.state is OrderState.FILLED]
        assert len(filled) == 1
        assert stage.count_sent() - sent_before == 1
        for resting in orders:
            assert stage.lane(resting.order.owner).filled == resting.order.amount_in
            (booked,) = solving.book.list_fills(resting.digest)
            assert booked.amount_in == resting.order.amount_in
            known = solving.book.find(resting.digest)
            assert known is not None
            assert known.get_state(stage.now) is RestState.FILLED
        assert (await reconcile(solving.context.node, solving.context.journal, since=since)).breaks == ()
