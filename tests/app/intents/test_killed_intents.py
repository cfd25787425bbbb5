"""``kill -9`` at every point of a sale by intent: the next process has it filled once, or lets it lapse, and
never trades beside it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app.dying import start_program
from app.intents.intent_stage import ONE_WETH, World

from onchain_exec.app.path.context import Step
from onchain_exec.app.path.recover import resume_all
from onchain_exec.oms import OrderState, reconcile

PROGRAM = Path(__file__).with_name("killed_intent.py")
APPROVED, ENDED = (Step.RECORDED, 1), (Step.RECORDED, 2)
GATE = [(Step.INTENDED, 1)]
DEEP = [
    APPROVED,
    (Step.SHOWN, 1),
    (Step.ACCEPTED, 1),
    (Step.CHANNELLED, 1),
    (Step.JOURNALLED, 1),
    (Step.SENT, 1),
    ENDED,
]
POINTS = [*GATE, *(pytest.param(*point, marks=pytest.mark.deep) for point in DEEP)]


@pytest.fixture(scope="module")
def run_sale() -> Iterator[Callable[[World, Step, int], int]]:
    """Sell in a process that dies after a step; return how it ended."""
    with start_program(PROGRAM) as ask:

        def run(world: World, step: Step, occurrence: int) -> int:
            return ask(
                {
                    "url": world.sandbox.url,
                    "book": world.url,
                    "journal": str(world.journal),
                    "deployment": world.sandbox.deployment.to_json(),
                    "key": world.key,
                    "step": step.name,
                    "occurrence": occurrence,
                }
            )

        yield run


@pytest.mark.parametrize(("step", "occurrence"), POINTS, ids=lambda value: getattr(value, "name", value))
async def test_sale_killed_at_a_point_is_filled_once(
    world: World, step: Step, occurrence: int, run_sale: Callable[[World, Step, int], int]
) -> None:
    dying = asyncio.to_thread(run_sale, world, step, occurrence)
    is_late = (step, occurrence) == ENDED  # it dies of the fill, which needs the solver meanwhile
    assert await (world.settling(dying) if is_late else dying) == -signal.SIGKILL

    desk, context = await world.open()
    await world.settling(resume_all(context))
    (view,) = [view for view in context.journal.read_orders() if view.order]
    assert view.state is OrderState.FILLED
    assert await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=100, client_order_id="one") == view
    (fill,) = await world.list_fills()
    assert (view.fill.amount_in, view.fill.amount_out) == (ONE_WETH, fill.amount_out)
    assert (await reconcile(context.node, context.journal)).breaks == ()
    world.require_no_swap(context)


@pytest.mark.deep
async def test_sale_killed_before_it_is_shown_lapses_where_nobody_comes_back_in_time(
    world: World, run_sale: Callable[[World, Step, int], int]
) -> None:
    assert await asyncio.to_thread(run_sale, world, Step.INTENDED, 1) == -signal.SIGKILL
    _, context = await world.open(confirm_timeout_s=0.01)
    (view,) = [view for view in context.journal.read_orders() if view.order]
    assert view.intent.answer == ""
    world.pass_deadline(view)
    await resume_all(context)
    view = context.journal.read_order(view.order_id)
    assert (view.state, view.intent.answer) == (OrderState.EXPIRED, "")
    assert await world.list_fills() == ()
    world.require_no_swap(context)
