"""``kill -9`` between any two steps of a swap: never lost, never twice, and the journal agrees."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app.dying import start_program
from chain_facts import balance_of
from cli_runner import Cli
from few_venues import with_few_venues

from onchain_exec import Desk, LocalSigner, OrderState
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.oms import OrderView

PROGRAM = Path(__file__).with_name("killed_swap.py")
ONE_WETH = 10**18

MOMENTS = [
    # before anything is signed
    *((step, 1) for step in (Step.READ, Step.ROUTED, Step.QUOTED, Step.CHECKED, Step.ACCEPTED, Step.BUILT)),
    # the allowance, then the swap
    *(
        (step, occurrence)
        for occurrence in (1, 2)
        for step in (Step.LEASED, Step.SIGNED, Step.JOURNALLED, Step.SENT, Step.CONFIRMED, Step.RECORDED)
    ),
]


@pytest.fixture(scope="module")
def run_swap() -> Iterator[Callable[[Sandbox, Path, Step, int], int]]:
    """Swap in a process that dies after a step; return how it ended."""
    with start_program(PROGRAM) as ask:

        def run(chain: Sandbox, journal: Path, step: Step, occurrence: int) -> int:
            return ask(
                {
                    "rpc_url": chain.url,
                    "journal": str(journal),
                    "key": chain.trader.key,
                    "client_order_id": "the-order",
                    "step": step.name,
                    "occurrence": occurrence,
                }
            )

        yield run


@pytest.mark.parametrize(("step", "occurrence"), MOMENTS, ids=lambda value: getattr(value, "name", value))
def test_swap_killed_after_a_step_then_reconciled_and_asked_again_executes_once(
    step: Step,
    occurrence: int,
    fork: Sandbox,
    cli: Cli,
    run_swap: Callable[[Sandbox, Path, Step, int], int],
) -> None:
    weth, trader = fork.deployment.tokens["WETH"], fork.trader.address
    before = balance_of(fork, weth, trader)
    assert run_swap(fork, cli.journal, step, occurrence) == -signal.SIGKILL
    fork.chain.settle()
    sold = before - balance_of(fork, weth, trader)
    assert sold in (0, ONE_WETH)

    reconciled = cli.json("reconcile")
    assert reconciled["breaks"] == []
    states = [order["state"] for order in reconciled["orders"]]
    assert (states == ["FILLED"]) == (sold == ONE_WETH)
    assert before - balance_of(fork, weth, trader) == sold, "reconcile must not trade"

    signer, profile = LocalSigner(fork.trader.key), with_few_venues(fork.profile)
    with Desk.connect(fork.url, signer=signer, journal=cli.journal, profile=profile) as desk:
        again, once_more = _ask(desk), _ask(desk)
        assert again.state is OrderState.FILLED
        assert once_more.tx_hash == again.tx_hash
        assert desk.reconcile().breaks == ()
    assert before - balance_of(fork, weth, trader) == ONE_WETH


def _ask(desk: Desk) -> OrderView:
    return desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id="the-order")
