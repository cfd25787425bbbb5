"""Looking after open slots: the same bytes again, the same for more, a cancel, or nothing for a gap."""

from __future__ import annotations

import logging
from typing import Final, assert_never

from onchain_exec.app.channels.dispatch import dispatch
from onchain_exec.app.engine.lane import Lane
from onchain_exec.app.path.run import sign_and_journal
from onchain_exec.core import Address, BlockRef
from onchain_exec.errors import FencedError, GasError, SignerError
from onchain_exec.execution import (
    DurableTx,
    Fees,
    Purpose,
    Rejected,
    SimulatedTx,
    build_cancel,
    build_gap,
    speed_up,
)
from onchain_exec.oms import SlotState, SlotView
from onchain_exec.oms.engine import Care, find_care

log = logging.getLogger(__name__)

_PASSING: Final = (GasError, SignerError, FencedError)
"""What keeps one account from new bytes for now, and is no reason to stop looking after the others."""


async def care_for(lane: Lane, account: Address, head: BlockRef, fees: Fees | None, now: int) -> None:
    """Give each open slot of an account what it needs, in the order of the nonces; without ``fees`` only
    what was signed is sent again.

    Raises:
        NodeError: the node fails; what was not reached waits for the next head.
        HaltedError: killed; nothing was signed or sent since.
    """
    journal = lane.context.journal
    for slot in journal.read_open().slots:
        if slot.key[:2] == (lane.chain_id, account):
            await dispatch(lane.context, await _find_bytes(lane, slot, head, fees, now))


async def fill_gap(lane: Lane, account: Address, head: BlockRef, fees: Fees) -> None:
    """Use the lowest nonce of an account that nobody will, if later ones wait for it."""
    waiting = _find_waiting(lane, account)
    if waiting is None or account not in lane.signers:
        return
    context = lane.context
    floor = await context.node.get_nonce(account)
    try:
        nonce = context.journal.reserve_nonce(lane.chain_id, account, waiting.order_id, Purpose.GAP, floor)
        if nonce < waiting.nonce:
            proven = await lane.path.prove(build_gap(waiting, head, fees))
            await dispatch(context, await sign_and_journal(context, lane.signers[account], proven, nonce))
    except _PASSING as error:
        log.warning("a gap of %s waits: %s", account, error, extra={"order_id": waiting.order_id})


async def _find_bytes(lane: Lane, slot: SlotView, head: BlockRef, fees: Fees | None, now: int) -> DurableTx:
    """Return the bytes that are to be sent: new ones, or earlier ones again where none can be made."""
    newest = slot.attempts[-1].tx
    signer = lane.signers.get(newest.sender)
    if fees is None or signer is None:
        return _find_sendable(slot)
    order = lane.context.journal.read_order(slot.order_id)
    care = find_care(slot, order, fees, head.base_fee_wei, now)
    if care is Care.SEND:
        return _find_sendable(slot)
    try:
        proven = await _prove(lane, newest, care, head, fees)
        return await sign_and_journal(lane.context, signer, proven, newest.nonce)
    except _PASSING as error:
        log.warning("no other bytes for %s: %s", slot.key, error, extra={"order_id": slot.order_id})
        return _find_sendable(slot)


def _find_sendable(slot: SlotView) -> DurableTx:
    """Return the newest bytes that the node did not refuse last time; the newest if it refused all."""
    taken = [attempt.tx for attempt in slot.attempts if attempt.last_send != Rejected.__name__]
    return (taken or [slot.attempts[-1].tx])[-1]


async def _prove(lane: Lane, stuck: DurableTx, care: Care, head: BlockRef, fees: Fees) -> SimulatedTx:
    budget_wei = lane.context.policy.max_fee_wei
    match care:
        case Care.CANCEL:
            return await lane.path.prove(build_cancel(stuck, head, fees, budget_wei))
        case Care.SPEED_UP | Care.SEND:
            return speed_up(stuck, head, fees, budget_wei)
        case never:
            assert_never(never)


def _find_waiting(lane: Lane, account: Address) -> DurableTx | None:
    """Return the first transaction of the account that waits behind a nonce which is abandoned, or which
    lending code left out; None if none does."""
    journal = lane.context.journal
    own = [slot for slot in journal.read_unsettled() if slot.key[:2] == (lane.chain_id, account)]
    unsigned = [slot for slot in own if slot.state is SlotState.RESERVED]
    gaps = [s.key.nonce for s in unsigned if s.purpose is Purpose.GAP or journal.is_abandoned(s)]
    later = [slot for slot in journal.read_open().slots if slot.key[:2] == (lane.chain_id, account)]
    if later and journal.is_left_out(later[0].key.previous):
        return later[0].attempts[-1].tx
    return next((slot.attempts[-1].tx for slot in later if gaps and slot.key.nonce > gaps[0]), None)
