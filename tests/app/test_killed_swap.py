"""``kill -9`` between any two steps of a swap: never lost, never twice, and the journal agrees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chain_facts import balance_of
from cli_runner import Cli

from onchain_exec import Desk, LocalSigner, OrderState
from onchain_exec.app.context import Step
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


@pytest.mark.parametrize(("step", "occurrence"), MOMENTS, ids=lambda value: getattr(value, "name", value))
def test_swap_killed_after_a_step_then_reconciled_and_asked_again_executes_once(
    step: Step, occurrence: int, fork: Sandbox, cli: Cli
) -> None:
    weth, trader = fork.deployment.tokens["WETH"], fork.trader.address
    before = balance_of(fork, weth, trader)
    environment = os.environ | {"ONCHAIN_EXEC_RPC_URL": fork.url, "ONCHAIN_EXEC_JOURNAL": str(cli.journal)}

    killed = subprocess.run(
        [sys.executable, str(PROGRAM), "the-order", step.name, str(occurrence)],
        env=environment, cwd=cli.journal.parent, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    sold = before - balance_of(fork, weth, trader)
    assert sold in (0, ONE_WETH)

    reconciled = cli.json("reconcile")
    assert reconciled["breaks"] == []
    states = [order["state"] for order in reconciled["orders"]]
    assert (states == ["FILLED"]) == (sold == ONE_WETH)
    assert before - balance_of(fork, weth, trader) == sold, "reconcile must not trade"

    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    with Desk.connect(fork.url, signer=signer, journal=cli.journal, profile=fork.profile) as desk:
        again, once_more = _ask(desk), _ask(desk)
        assert again.state is OrderState.FILLED
        assert once_more.tx_hash == again.tx_hash
        assert desk.reconcile().breaks == ()
    assert before - balance_of(fork, weth, trader) == ONE_WETH


def _ask(desk: Desk) -> OrderView:
    return desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id="the-order")
