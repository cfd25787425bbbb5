"""``kill -9`` at every point of taking a quote, and a new server on the same journal: what was accepted is
settled once, under its terms; what was not is unknown, and can be asked for again under its id."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app.dying import start_program
from app.signed_book.settle_chain import USDC, WETH, SettleChain
from oms.signed_book.resting import place_journal
from server.rfq.quoting import answer, ask, held, quote, take
from server.signed_server import serve_book, to_body

from onchain_exec.app.path.context import Step
from onchain_exec.app.path.recover import resume_all
from onchain_exec.clearing.settle import SettleOrder
from onchain_exec.venues.erc20 import APPROVE

PROGRAM = Path(__file__).with_name("killed_taker.py")

# an approval goes first: each of these is done for it, and then for the quote
GATE = [(Step.CHECKED, 1), (Step.ACCEPTED, 1), (Step.CONFIRMED, 1), (Step.JOURNALLED, 2)]
TWICE = (Step.LEASED, Step.SIGNED, Step.JOURNALLED, Step.SENT, Step.CONFIRMED)
DEEP = [(Step.BUILT, 1), (Step.SIMULATED, 1), *((step, n) for step in TWICE for n in (1, 2))]
POINTS = [*GATE, *(pytest.param(*point, marks=pytest.mark.deep) for point in DEEP if point not in GATE)]
Run = Callable[[SettleChain, Path, SettleOrder, Step, int], int]


@pytest.fixture(scope="module")
def run_take() -> Iterator[Run]:
    """Ask, answer and take in a process that dies at a point; return how it ended."""
    with start_program(PROGRAM) as work:

        def run(chain: SettleChain, journal: Path, order: SettleOrder, step: Step, occurrence: int) -> int:
            return work(
                {
                    "url": chain.chain.url,
                    "journal": str(journal),
                    "deployment": chain.deployment.to_json(),
                    "key": chain.trader.key,
                    "request_id": "taken",
                    "quote": to_body(order, chain.sign(order)),
                    "step": step.name,
                    "occurrence": occurrence,
                }
            )

        yield run


@pytest.mark.parametrize(("step", "occurrence"), POINTS)
def test_take_killed_at_a_point_settles_once(
    settle_chain: SettleChain,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    run_take: Run,
    step: Step,
    occurrence: int,
) -> None:
    chain, journal = settle_chain, place_journal(tmp_path, tmp_path_factory.getbasetemp())
    chain.evm.call(chain.trader.address, chain.weth.address, APPROVE.encode(chain.contract, 0))
    order, before = answer(chain, deadline_at=chain.now + 600), held(chain, chain.trader.address)
    assert run_take(chain, journal, order, step, occurrence) == -signal.SIGKILL

    with serve_book(chain, tmp_path) as after:
        if after.context.journal.find_order("taken") is None:
            unknown = take(after, "taken")
            assert (unknown.status_code, "Ask anew" in unknown.json()["todo"]) == (404, True)
            assert held(chain, chain.trader.address) == before
            ask(after, "taken", good_for_s=300)
            assert quote(after, "taken", order).status_code == 201
        assert after.desk.portal
        after.desk.portal.call(resume_all, after.context)  # as the engine's first turn does
        settled = [take(after, "taken").json() for _ in range(2)]
        assert [view["state"] for view in settled] == ["FILLED", "FILLED"]
        assert settled[0]["tx_hash"] == settled[1]["tx_hash"]
    after_all = held(chain, chain.trader.address)
    assert after_all[chain.weth] == before[chain.weth] - WETH
    assert after_all[chain.usdc] == before[chain.usdc] + 2_000 * USDC
