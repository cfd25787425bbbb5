"""Private bytes until they are mined: at each new block they are looked after, and bundles offered anew."""

from __future__ import annotations

import asyncio
from typing import Final

from onchain_exec.app.channels.care import look_after_private
from onchain_exec.app.channels.dispatch import dispatch
from onchain_exec.app.context import Context
from onchain_exec.core import BlockRef
from onchain_exec.errors import NodeError
from onchain_exec.execution import DurableTx
from onchain_exec.execution.channels import Channel
from onchain_exec.oms import SlotKey

POLL_S: Final = 0.25
_FOR_ONE_BLOCK: Final = frozenset({Channel.BUNDLE, Channel.SHARED})


async def attend(context: Context, durable: DurableTx) -> float:
    """Return the seconds that are left of the policy's waiting: once the nonce is taken, others were seen to
    have the bytes, or no time is left; at once for public bytes.

    Raises:
        HaltedError: it was killed meanwhile; nothing was sent since.
    """
    clock, head = asyncio.get_running_loop(), None
    ends_at = clock.time() + context.policy.confirm_timeout_s
    while durable.private and clock.time() < ends_at:
        try:
            newest = await context.node.get_block()
            if (head is None or newest.number > head.number) and not await _go_on(
                context, durable, newest, is_first=head is None
            ):
                break
            head = newest
        except NodeError:
            pass
        await asyncio.sleep(min(POLL_S, max(ends_at - clock.time(), 0.0)))
    return max(ends_at - clock.time(), 0.0)


async def _go_on(context: Context, durable: DurableTx, head: BlockRef, *, is_first: bool) -> bool:
    """Look after the bytes at a new block; return whether there is more to wait for."""
    if await context.node.get_nonce(durable.sender, head) > durable.nonce:
        return False
    before = context.journal.read_order(durable.order_id).decision
    await look_after_private(context, head)
    slot = context.journal.read_slot(SlotKey(durable.chain_id, durable.sender, durable.nonce))
    if slot.leaked:
        return False
    after = context.journal.read_order(durable.order_id).decision
    if after and not is_first and (after.channel in _FOR_ONE_BLOCK or after != before):
        await dispatch(context, slot.attempts[-1].tx)
    return slot.attempts[-1].tx.private
