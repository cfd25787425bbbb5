"""Transactions tried in one `eth_call`, for nodes without eth_simulateV1: a small contract is lent to
the sender's address and makes the sender's calls from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onchain_exec.chain import CallResult, Node, StateOverride, TxCall, decode_revert
from onchain_exec.core import Call
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.execution.costs.gas import get_intrinsic_gas
from onchain_exec.execution.plan import TxPlan
from onchain_exec.execution.simulation.trace import get_funding

_RUN: Final = Function("run((address,uint256,uint256,bytes)[])", "((bool,uint256,bytes)[])")
_READ_GAS: Final = 1_000_000
_WARMTH: Final = 30_000
"""Gas by which a transaction can seem cheaper here than alone, for each one before it, because that
one has touched its accounts and slots already: an allowance's slot (22,100), token and code behind
it (2 * 2,600)."""


async def run_sequence(
    node: Node, plan: TxPlan, limits: Sequence[int], reads: Sequence[Call]
) -> tuple[tuple[CallResult, ...], tuple[bytes, ...]]:
    """Return the results of the plan's dependencies and the plan, each under its gas limit, and the
    answers to ``reads`` after them.

    Everything runs in the plan's block. What it cannot show, unlike eth_simulateV1: logs (there are
    none in the results), refunds (``gas_used`` is before them), later blocks, and contracts that
    treat an account with code otherwise.

    Raises:
        RevertError: the whole call ran out of gas, or a read reverted.
        NodeRefusedError: the node has no state overrides either.
    """
    txs = (*plan.depends_on, plan)
    steps = [
        (tx.to, tx.value_wei, limit - get_intrinsic_gas(tx.data), tx.data)
        for tx, limit in zip(txs, limits, strict=True)
    ]
    asked = [(read.to, 0, _READ_GAS, read.data) for read in reads]
    funded = get_funding(plan)
    lent = StateOverride(
        plan.sender, balance_wei=funded.balance_wei, code=get_artifact("Sequence").runtime_bytecode
    )
    call = TxCall(plan.sender, plan.sender, _RUN.encode([*steps, *asked]))
    (found,) = _RUN.decode(await node.call(call, plan.block, [lent]))
    results = tuple(
        CallResult(
            gas_used=gas_used + get_intrinsic_gas(tx.data) + index * _WARMTH,
            data=data,
            logs=(),
            error=None if success else decode_revert(data, node.errors),
        )
        for index, (tx, (success, gas_used, data)) in enumerate(zip(txs, found, strict=False))
    )
    return results, tuple(_require_answer(answer, node) for answer in found[len(txs) :])


def _require_answer(answer: tuple[bool, int, bytes], node: Node) -> bytes:
    success, _, data = answer
    if not success:
        raise decode_revert(data, node.errors)
    return data
