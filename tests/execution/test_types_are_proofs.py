"""What skips a step does not pass the type checker."""

from __future__ import annotations

import re
from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[2]
SNIPPET = """
from onchain_exec.chain import Node
from onchain_exec.execution import DurableTx, SignedTx, Signer, SimulatedTx, TxPlan
from onchain_exec.execution import Draft, Router, build_plan, confirm, send, sign
from onchain_exec.risk import Denied


async def in_order(node: Node, simulated: SimulatedTx, signer: Signer, durable: DurableTx) -> SignedTx:
    await send(node, durable)
    await confirm(node, durable, 1, 10.0)
    return await sign(simulated, 0, signer)


async def skip(
    node: Node, plan: TxPlan, signer: Signer, signed: SignedTx, denied: Denied, router: Router
) -> None:
    await sign(plan, 0, signer)  # unsimulated
    await send(node, signed)  # not journalled
    await send(node, signed.raw)  # bare bytes
    await confirm(node, signed, 1, 10.0)  # not journalled
    Draft(denied, router, plan.fees)  # not approved
    plan.data = b""  # changed after it was built
    signed.nonce = 1  # changed after it was signed
"""
MARKED = {number for number, line in enumerate(SNIPPET.splitlines(), start=1) if "  # " in line}


def test_a_step_that_is_skipped_is_refused_by_mypy(tmp_path: Path) -> None:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(SNIPPET)
    report, trouble, _ = api.run(
        [
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--no-error-summary",
            "--hide-error-context",
            str(snippet),
        ]
    )
    assert not trouble
    # a message that mypy has cached names the snippet of the run that made it: its folder differs
    ours = re.findall(r"snippet\.py:(\d+): error:", report)
    assert {int(number) for number in ours} == MARKED
