"""Another attempt at a nonce that is taken already: the same for a higher fee, or nothing to oneself."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import BlockRef
from onchain_exec.errors import InputError
from onchain_exec.execution.costs.fees import bump_fees
from onchain_exec.execution.plan import DurableTx, Fees, Purpose, SimulatedTx, TxPlan
from onchain_exec.execution.signers.transaction import decode_unsigned

_OUTBID: Final = 2
"""An attempt is outbid when the market's tip is this many times what the attempt would pay."""


def is_outbid(raw: bytes, market: Fees, base_fee_wei: int) -> bool:
    """Return whether signed bytes would pay a builder less than half of what the market pays now.

    ``base_fee_wei`` is a block's, ``market`` what a new transaction would be given at it.
    """
    fees = decode_unsigned(raw).fees
    paid_wei = min(fees.max_priority_fee_wei, fees.max_fee_wei - base_fee_wei)
    asked_wei = min(market.max_priority_fee_wei, market.max_fee_wei - base_fee_wei)
    return _OUTBID * paid_wei < asked_wei


def speed_up(stuck: DurableTx, block: BlockRef, fees: Fees, max_fee_wei: int | None = None) -> SimulatedTx:
    """Return ``stuck`` again, to the byte but for its fees, which meet the market and replace it.

    It needs no new simulation: call and gas limit are those that were simulated when it was first
    signed. Whichever of the two is mined, it is mined once: they share the nonce.

    Raises:
        GasError: the replacement is beyond ``max_fee_wei``.
        InputError: ``block`` is of another chain, or the bytes are not ones we make.
    """
    if block.chain_id != stuck.chain_id:
        raise InputError(f"a block of chain {block.chain_id}", needed=f"a block of chain {stuck.chain_id}")
    tx = decode_unsigned(stuck.raw)
    plan = TxPlan(
        cause=stuck,
        block=block,
        purpose=stuck.purpose,
        sender=stuck.sender,
        to=tx.to,
        data=tx.data,
        value_wei=tx.value_wei,
        fees=bump_fees(tx.fees, fees, max_fee_wei),
        delegate=tx.authorisations[0].delegate if tx.authorisations else None,
        accesses=tx.accesses,
    )
    return SimulatedTx(plan, block, tx.gas_limit, tx.gas_limit, 0, 0, 0, ())


def build_gap(waiting: DurableTx, block: BlockRef, fees: Fees) -> TxPlan:
    """Return a transfer of nothing to oneself for a nonce that nobody will use, and ``waiting`` waits for.

    Raises:
        InputError: ``block`` is of another chain.
    """
    if block.chain_id != waiting.chain_id:
        raise InputError(f"a block of chain {block.chain_id}", needed=f"chain {waiting.chain_id}")
    own = waiting.sender
    return TxPlan(
        cause=waiting, block=block, purpose=Purpose.GAP, sender=own, to=own, data=b"", value_wei=0, fees=fees
    )
