"""What private bytes need while they wait: a look whether others have them, and another choice in time."""

from __future__ import annotations

import logging

from onchain_exec.app.channels.offers import find_offers
from onchain_exec.app.path.context import Context, Step
from onchain_exec.core import BlockRef
from onchain_exec.execution import DurableTx, Purpose
from onchain_exec.execution.channels import reconsider
from onchain_exec.oms import SlotView

log = logging.getLogger(__name__)


async def look_after_private(context: Context, head: BlockRef) -> None:
    """Look at every private transaction of the chain that waits: journal what others were seen to have, and
    choose again for what no block had for too long.

    Raises:
        NodeError: the node fails; the rest waits for the next head.
    """
    for slot in context.journal.read_open().slots:
        if slot.key.chain_id == context.node.chain_id and slot.attempts[-1].tx.private:
            if not slot.leaked:
                await _find_leak(context, slot)
            _reconsider(context, slot.attempts[-1].tx, head)


async def _find_leak(context: Context, slot: SlotView) -> None:
    """A public node that shows a private transaction without a block has it from somebody."""
    for attempt in slot.attempts:
        found = await context.node.get_transaction(attempt.tx.tx_hash)
        if attempt.tx.private and found is not None and found.block_hash is None:
            log.warning("%s is in the public pool", found.tx_hash, extra={"order_id": slot.order_id})
            context.journal.append_leak(slot.key, found.tx_hash)
            return


def _reconsider(context: Context, durable: DurableTx, head: BlockRef) -> None:
    decision = context.journal.read_order(durable.order_id).decision
    if decision is None or durable.purpose is Purpose.CANCEL:
        return
    again = reconsider(decision, find_offers(context), context.policy.channels, head.number)
    if again is not None:
        context.observe(Step.CHANNELLED, again)
        context.journal.append_channel(durable.order_id, again)
