"""Start-up is recovery: what a stop left open is looked up first, and only then continued."""

from __future__ import annotations

from onchain_exec.app.channels.care import look_after_private
from onchain_exec.app.channels.dispatch import hand_over
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.run import deliver, quote_order, require_signer, run, sign_and_journal, wait
from onchain_exec.chain import Node
from onchain_exec.core import Address
from onchain_exec.errors import StateError
from onchain_exec.execution import DurableTx, SendOutcome, build_cancel, read_fees, simulate, speed_up
from onchain_exec.oms import OrderView, SlotView, recover, require_not_killed
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
    higher fee. One that was accepted and never signed is quoted again and runs under the bounds
    it was accepted on, if the market still gives them. What other accounts of the journal began is sent
    again, and left to them where it takes a signature.

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
    for view in found.unsigned:
        if view.order and _is_ours(context, view.order.account):
            await _start_again(context, view)


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
    if view.order is None or view.quote is None:
        return
    block = await context.node.get_block("latest")
    try:
        quote = await quote_order(context, view.order, block)
        bound = bind_quote(quote, view.quote.amount_out_min, view.quote.amount_in_max)
    except StateError as error:  # the market has an answer, and it is no; a node without one ends nothing
        context.journal.append_failure(view.order_id, error)
        return
    await run(context, bound)
