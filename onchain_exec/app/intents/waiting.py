"""An intent on its way: shown to the book until it has it, and looked up on chain at each new block."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from onchain_exec.app.path.context import Context, Step
from onchain_exec.core import BlockRef
from onchain_exec.errors import NodeError, OrderBookError, OrderRefusedError
from onchain_exec.oms import OrderView, is_killed
from onchain_exec.oms.book.intents import TAKEN
from onchain_exec.oms.book.states import UNDECIDED, OrderState
from onchain_exec.oms.intents import correct, read_standings

log = logging.getLogger(__name__)

POLL_S: Final = 0.25


async def show(context: Context, order_id: str, head: BlockRef) -> None:
    """Post a journalled intent, unless the book has it, it has ended, is to be cancelled or over, or all or
    the account is killed. What the book says, or that it says nothing, is journalled."""
    view = context.journal.read_order(order_id)
    order, intent, book = view.order, view.intent, context.intent_book
    if order is None or intent is None or book is None or intent.answer == TAKEN or intent.end:
        return
    is_over = max(context.now(), head.timestamp) > intent.terms.deadline_at
    if is_over or view.state is OrderState.CANCEL_PENDING:
        return
    if is_killed(context.journal.read_switches(), order.account):
        return
    answer, reason = TAKEN, ""
    try:
        await book.post(intent.get_signed(order))
    except OrderRefusedError as error:
        answer, reason = "refused", f"{error.reason}: {error.found}"
    except OrderBookError as error:
        answer, reason = "no answer", error.found
    context.journal.intents.append_answer(order_id, answer, reason)
    context.observe(Step.SHOWN, context.journal.read_order(order_id))
    log.info("intent %s: %s %s", intent.digest, answer, reason, extra={"order_id": order_id})


async def look(context: Context, order_id: str, head: BlockRef) -> OrderView:
    """Record how the chain has an intent stand at ``head``; return its order.

    Raises:
        NodeError: the node fails (BlockNotFoundError: ``head`` left the chain meanwhile).
    """
    view = context.journal.read_order(order_id)
    found = await read_standings(context.node, [view], head)
    await context.node.require_canonical(head)
    correct(context.journal, found, None)
    return context.journal.read_order(order_id)


async def wait_for_end(context: Context, order_id: str) -> None:
    """Show an intent and wait until it has ended, a fill as deep as the policy's confirmations, or for as
    long as its confirm timeout."""
    clock, looked_at = asyncio.get_running_loop(), ""
    ends_at = clock.time() + context.policy.confirm_timeout_s
    while True:
        try:
            head = await context.node.get_block()
            if head.hash != looked_at:
                await show(context, order_id, head)
                view = await look(context, order_id, head)
                if _is_over(context, view, head):
                    context.observe(Step.RECORDED, view)
                    return
                looked_at = head.hash
        except NodeError as error:
            log.info("the intent waits: %s", error, extra={"order_id": order_id})
        if (left_s := ends_at - clock.time()) <= 0:
            return
        await asyncio.sleep(min(POLL_S, left_s))


def _is_over(context: Context, view: OrderView, head: BlockRef) -> bool:
    if view.fill:
        return head.number - view.fill.block_number + 1 >= context.policy.confirmations
    return view.state not in UNDECIDED
