"""What waits: private bytes until they are mined, looked after and offered anew at each block, and orders
of which nothing was sent yet."""

from __future__ import annotations

import asyncio
from typing import Final

from onchain_exec.app.bundles import wait_beyond
from onchain_exec.app.channels.care import look_after_private
from onchain_exec.app.channels.dispatch import dispatch
from onchain_exec.app.path.context import Context
from onchain_exec.core import BlockRef, Order
from onchain_exec.errors import NodeError
from onchain_exec.execution import DurableTx, Purpose
from onchain_exec.execution.channels import Channel, Decision
from onchain_exec.oms import SlotKey, SlotView
from onchain_exec.oms.book.conduct import needs_cancel, needs_reprice

POLL_S: Final = 0.25
_FOR_ONE_BLOCK: Final = frozenset({Channel.BUNDLE, Channel.SHARED})


async def attend(context: Context, durable: DurableTx, sent_at: BlockRef | None = None) -> float:
    """Return the seconds that are left of the policy's waiting once the nonce is taken; at once for public
    bytes. None are left once others were seen to have the bytes, or they are to be cancelled.
    ``sent_at`` is the head before they were sent; None: whatever it is now.

    Raises:
        HaltedError: it was killed meanwhile; nothing was sent since.
    """
    clock, looked_at = asyncio.get_running_loop(), -1
    ends_at = clock.time() + context.policy.confirm_timeout_s
    while durable.private and clock.time() < ends_at:
        try:
            head = await context.node.get_block()
            sent_at = sent_at or head
            if head.number != looked_at:
                if await context.node.get_nonce(durable.sender, head) > durable.nonce:
                    break
                before = context.journal.read_order(durable.order_id).decision
                if await _needs_others(context, durable, head):
                    return 0.0
                if await _offer_again(context, durable, before, is_new=head.number > sent_at.number):
                    sent_at = head
                looked_at = head.number
        except NodeError:
            pass
        await asyncio.sleep(min(POLL_S, max(ends_at - clock.time(), 0.0)))
    return max(ends_at - clock.time(), 0.0)


async def outlasts(context: Context, order: Order, head: BlockRef) -> bool:
    """Wait for a block after ``head``; return whether it came before the order's time passed, by our clock or
    the chain's, whichever is later."""
    left_s = order.expires_at - max(context.now(), head.timestamp)
    try:
        async with asyncio.timeout(left_s):
            await wait_beyond(context.node, head, POLL_S)
    except TimeoutError:
        return False
    return True


async def _needs_others(context: Context, durable: DurableTx, head: BlockRef) -> bool:
    """Look after the bytes at a new block; return whether others are to take their place."""
    await look_after_private(context, head)
    if durable.purpose is Purpose.CANCEL:
        return False
    slot, order = _read_slot(context, durable), context.journal.read_order(durable.order_id)
    return needs_cancel(slot, order, context.now()) or needs_reprice(slot)


async def _offer_again(
    context: Context, durable: DurableTx, before: Decision | None, *, is_new: bool
) -> bool:
    """Send the newest bytes again at a new block where their channel is for one, and where it is another than
    before; return whether that was done."""
    decision = context.journal.read_order(durable.order_id).decision
    if decision is None or not (decision != before or (is_new and decision.channel in _FOR_ONE_BLOCK)):
        return False
    await dispatch(context, _read_slot(context, durable).attempts[-1].tx)
    return True


def _read_slot(context: Context, durable: DurableTx) -> SlotView:
    return context.journal.read_slot(SlotKey(durable.chain_id, durable.sender, durable.nonce))
