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

from onchain_exec.app.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox

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

    again = cli.json("swap", *_terms(), "--yes")
    assert again["state"] == "FILLED"
    assert before - balance_of(fork, weth, trader) == ONE_WETH
    assert cli.json("swap", *_terms(), "--yes")["tx_hash"] == again["tx_hash"]
    assert before - balance_of(fork, weth, trader) == ONE_WETH
    assert cli.json("reconcile")["breaks"] == []


def _terms() -> tuple[str, ...]:
    return (
        *("--sell", "WETH", "--amount", "1", "--buy", "USDC"),
        *("--max-slippage-bps", "50", "--client-order-id", "the-order"),
    )
