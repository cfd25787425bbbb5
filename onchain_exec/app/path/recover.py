"""Start-up is recovery: what a stop left open is looked up first, and only then continued."""

from __future__ import annotations

import asyncio

from onchain_exec.app.channels.care import look_after_private
from onchain_exec.app.channels.dispatch import hand_over
from onchain_exec.app.intents.care import look_after_intents
from onchain_exec.app.intents.waiting import wait_for_end
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.run import deliver, quote_order, require_signer, run, sign_and_journal, wait
from onchain_exec.chain import Node
from onchain_exec.core import Address
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import DuplicateOrderError, StateError
from onchain_exec.execution import DurableTx, SendOutcome, build_cancel, read_fees, simulate, speed_up
from onchain_exec.oms import OrderState, OrderView, SlotView, recover, require_not_killed
from onchain_exec.oms.book.action_terms import is_same_action
from onchain_exec.oms.book.states import UNDECIDED
from onchain_exec.routing import Quote, bind_quote


async def run_to_end(context: Context, quote: Quote) -> OrderView:
    """Run a quote as `run` does, and deal at once with what others were seen to have of its private bytes."""
    view = await run(context, quote)
    if any(slot.leaked and slot.order_id == view.order_id for slot in context.journal.read_open().slots):
        await resume_all(context)
    return context.journal.read_order(view.order_id)


async def resume_all(context: Context) -> None:
    """Bring every order that is open on this chain to its end, or to where it waits.

    Bytes that are signed go out again, as they are. An order whose time has passed, or whose private bytes
    others have and could attack, is cancelled on its own nonce; one that others have in vain is sent for a
    higher fee. An intent is shown again where the book has it not, or cancelled, and waited for. One that
    was accepted and never signed is quoted again and runs under the bounds it was accepted on, if the
    market still gives them. What other accounts of the journal began is sent again, and left to them where
    it takes a signature.

    Raises:
        HaltedError: all, or the desk's account, is killed: the journal is brought up to the chain, and
            nothing of it is sent.
    """
    head = await context.node.get_block("latest")

    async def send(node: Node, durable: DurableTx) -> SendOutcome:
        return await hand_over(context, durable)

    await look_after_private(context, head)
    found = await recover(context.node, context.journal, max(context.now(), head.timestamp), send)
    if context.signer is not None:
        require_not_killed(context.journal.read_switches(), context.signer.address)
    for durable, _ in found.resent:
        await wait(context, durable)
    for slot in found.to_cancel:
        if _is_ours(context, slot.key.account):
            await _cancel(context, slot)
    for slot in found.to_reprice:
        if _is_ours(context, slot.key.account):
            await _reprice(context, slot)
    await _resume_intents(context)
    for view in found.unsigned:
        if view.order and _is_ours(context, view.order.account):
            await _start_again(context, view)


async def continue_action(context: Context, earlier: OrderView, order: ActionOrder) -> OrderView | None:
    """Return the order that has the client order id, continued if it was open; None if nothing of it was
    signed, so that it may begin again.

    Raises:
        DuplicateOrderError: it does something else than ``order``.
    """
    if earlier.action is None or not is_same_action(earlier.action, order):
        raise DuplicateOrderError(
            f"client order id {order.client_order_id!r} belongs to an order that does something else",
            needed="the same actions and guards",
            todo="An id names one order for ever; take a new id for a new order",
        )
    if earlier.state is OrderState.NEW:
        return None
    if earlier.state in UNDECIDED:
        await resume_all(context)
    return context.journal.read_order(earlier.order_id)


async def _resume_intents(context: Context) -> None:
    """Show and cancel what is to be, and wait for the end of every intent that can still be filled."""
    signers = {context.signer.address: context.signer} if context.signer else {}
    await look_after_intents(context, signers, await context.node.get_block("latest"))
    unsettled = context.journal.intents.read_unsettled(context.node.chain_id)
    waiting = [view.order_id for view in unsettled if view.intent and view.intent.end is None]
    await asyncio.gather(*(wait_for_end(context, order_id) for order_id in waiting))


def _is_ours(context: Context, account: Address) -> bool:
    return require_signer(context).address == account


async def _cancel(context: Context, slot: SlotView) -> None:
    block, stuck = await context.node.get_block("latest"), slot.attempts[-1].tx
    fees = await read_fees(context.node, block, context.policy.max_fee_wei)
    plan = build_cancel(stuck, block, fees, context.policy.max_fee_wei)
    simulated = await simulate(context.node, plan)
    await deliver(context, await sign_and_journal(context, require_signer(context), simulated, stuck.nonce))


async def _reprice(context: Context, slot: SlotView) -> None:
    block, stuck = await context.node.get_block("latest"), slot.attempts[-1].tx
    fees = await read_fees(context.node, block, context.policy.max_fee_wei)
    dearer = speed_up(stuck, block, fees, context.policy.max_fee_wei)
    await deliver(context, await sign_and_journal(context, require_signer(context), dearer, stuck.nonce))


async def _start_again(context: Context, view: OrderView) -> None:
    """Run what is still unsigned: its approval may have failed since it was found."""
    is_new = context.journal.read_order(view.order_id).state is OrderState.NEW
    if not is_new or view.order is None or view.quote is None:
        return
    block = await context.node.get_block("latest")
    try:
        quote = await quote_order(context, view.order, block)
        bound = bind_quote(quote, view.quote.amount_out_min, view.quote.amount_in_max)
    except StateError as error:  # the market has an answer, and it is no; a node without one ends nothing
        context.journal.append_failure(view.order_id, error)
        return
    await run(context, bound)
