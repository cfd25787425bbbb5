"""What a rollup charges for a transaction's data on the chain below, as described reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from onchain_exec.core import Answer, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import GasError
from onchain_exec.execution.costs.gas import L1Fee
from onchain_exec.execution.plan import TxPlan
from onchain_exec.execution.signers import UnsignedTx

GAS_PRICE_ORACLE: Final = to_address("0x420000000000000000000000000000000000000F")
"""The OP stack's predeployed GasPriceOracle."""
NODE_INTERFACE: Final = to_address("0x00000000000000000000000000000000000000C8")
"""What an Arbitrum node answers for itself; no contract stands there."""

L1_FEE_UPPER_BOUND: Final = Function("getL1FeeUpperBound(uint256)", "(uint256)")
OPERATOR_FEE: Final = Function("getOperatorFee(uint256)", "(uint256)")
L1_GAS: Final = Function("gasEstimateL1Component(address,bool,bytes)", "(uint64,uint256,uint256)")

_LARGEST: Final = (1 << 32) - 1
"""A nonce or gas limit of the most bytes that occur, so that the size is never guessed too small."""


@dataclass(frozen=True, slots=True)
class L1Cost:
    """``fee_wei`` is taken from the sender beside the gas; ``gas`` must be in the gas limit."""

    fee_wei: int = 0
    gas: int = 0


def read_l1_costs(kind: L1Fee, plans: Sequence[TxPlan], limits: Sequence[int]) -> Reading[tuple[L1Cost, ...]]:
    """Read what each plan, at its gas limit, costs besides its own gas: an upper bound.

    The price of the chain below moves until inclusion. Of the OP stack's fee a quarter more is
    asked for (two full blocks there); of Arbitrum's gas twice as much, because what is not used is
    not charged.

    Raises:
        GasError: the chain does not answer as its kind does.
    """
    match kind:
        case L1Fee.NONE:
            return (L1Cost(),) * len(plans)
        case L1Fee.OP_STACK:
            return (yield from _read_op_stack(plans, limits))
        case L1Fee.ARBITRUM:
            calls = tuple(Call(NODE_INTERFACE, L1_GAS.encode(p.to, False, p.data)) for p in plans)
            snapshot = yield calls
            return tuple(L1Cost(gas=2 * _decode(L1_GAS, answer)) for answer in snapshot.answers)
        case never:
            assert_never(never)


def _read_op_stack(plans: Sequence[TxPlan], limits: Sequence[int]) -> Reading[tuple[L1Cost, ...]]:
    sizes = [_get_size(plan) for plan in plans]
    snapshot = yield (
        *(Call(GAS_PRICE_ORACLE, L1_FEE_UPPER_BOUND.encode(size)) for size in sizes),
        *(Call(GAS_PRICE_ORACLE, OPERATOR_FEE.encode(limit)) for limit in limits),
    )
    data_fees, operator_fees = snapshot.answers[: len(plans)], snapshot.answers[len(plans) :]
    # the operator's fee came with Isthmus: an oracle from before does not know it, and there is none
    return tuple(
        L1Cost(
            fee_wei=_decode(L1_FEE_UPPER_BOUND, data) * 5 // 4
            + (_decode(OPERATOR_FEE, fee) if fee.success else 0)
        )
        for data, fee in zip(data_fees, operator_fees, strict=True)
    )


def _get_size(plan: TxPlan) -> int:
    """Return the size of the unsigned bytes, from above."""
    tx = UnsignedTx(
        chain_id=plan.block.chain_id,
        nonce=_LARGEST,
        fees=plan.fees,
        gas_limit=_LARGEST,
        to=plan.to,
        value_wei=plan.value_wei,
        data=plan.data,
    )
    return len(tx.payload)


def _decode(function: Function, answer: Answer) -> int:
    if not answer.success or not answer.data:
        raise GasError(
            f"the chain does not answer {function.signature}",
            needed="the fee for its data on the chain below",
            todo="Check the kind of rollup in the chain's gas rules",
        )
    value: int = function.decode(answer.data)[0]
    return value
