"""Journalled bytes on their way: handed over as their order's channel has it, and taken back."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable

from onchain_exec.app.bundles import find_fault
from onchain_exec.app.channels.offers import get_relays, list_protected
from onchain_exec.app.path.context import Context, Step
from onchain_exec.chain import Delivery
from onchain_exec.chain.relays import Bundle, Relays, SharedBundle
from onchain_exec.execution import DurableTx, Purpose, Rejected, SendOutcome, send
from onchain_exec.execution.channels import Channel
from onchain_exec.oms import SlotKey, require_not_killed


async def dispatch(context: Context, durable: DurableTx) -> None:
    """Send journalled bytes, unless all or the account is killed.

    Raises:
        HaltedError: it is; nothing was sent, and the bytes stay in the journal.
    """
    require_not_killed(context.journal.read_switches(), durable.sender)
    sent = await hand_over(context, durable)
    context.journal.append_send_outcome(durable, sent)
    context.observe(Step.SENT, sent)


async def hand_over(context: Context, durable: DurableTx) -> SendOutcome:
    """Send journalled bytes, once, the way that their order goes; private ones never to a public endpoint,
    whatever is missing. A bundle is tried on the newest block before, and withdrawn if it would fail.

    Raises:
        ConfigError: there is no endpoint for such bytes; nothing was sent.
    """
    decision, relays = context.journal.read_order(durable.order_id).decision, get_relays(context.node)
    if durable.purpose is Purpose.CANCEL:
        await _take_back(context, durable)
    elif durable.private and decision and relays:
        match decision.channel:
            case Channel.PRIVATE:
                return await send(context.node, durable, relays.send_raw)
            case Channel.BUNDLE | Channel.SHARED:
                return await _offer(context, relays, durable, decision.channel)
    only = list_protected(context.node) if decision and decision.channel is Channel.PROTECTED else ()
    return await send(
        context.node,
        durable,
        lambda raw: context.node.broadcast(raw, private=durable.private, only=only),
    )


def get_bundle_name(durable: DurableTx) -> str:
    """Return the UUID that names every bundle of a slot, so that another process can replace or withdraw what
    this one offered."""
    place = f"{durable.chain_id}/{durable.sender}/{durable.nonce}"
    return str(uuid.uuid5(uuid.NAMESPACE_OID, place))


async def _offer(context: Context, relays: Relays, durable: DurableTx, channel: Channel) -> SendOutcome:
    node, policy = context.node, context.policy.channels
    head = await node.get_block()
    if fault := await find_fault(node, [durable], head):
        await relays.cancel_bundle(get_bundle_name(durable))
        return Rejected(durable.tx_hash, fault)
    order = context.journal.read_order(durable.order_id).order
    if channel is Channel.SHARED:
        shared = SharedBundle(
            (durable.raw,),
            head.number + 1,
            hints=policy.hints,
            refund_percent=policy.refund_percent,
            refund_to=durable.sender,
        )
        return await send(node, durable, lambda _: _named(relays.send_shared(shared), durable))
    bundle = Bundle(
        (durable.raw,),
        head.number + 1,
        max_timestamp=order.expires_at if order else None,
        replacement_id=get_bundle_name(durable),
    )
    return await send(node, durable, lambda _: _named(relays.send_bundle(bundle), durable))


async def _named(asked: Awaitable[tuple[Delivery, ...]], durable: DurableTx) -> tuple[Delivery, ...]:
    """Return what relays said to a bundle as if they had named the transaction in it."""
    return tuple(
        Delivery(said.where, durable.tx_hash) if isinstance(said.reply, str) else said for said in await asked
    )


async def _take_back(context: Context, cancel: DurableTx) -> None:
    """Ask every relay to forget what the cancel is against. It may be mined all the same."""
    relays = get_relays(context.node)
    if relays is None:
        return
    key = SlotKey(cancel.chain_id, cancel.sender, cancel.nonce)
    for attempt in context.journal.read_slot(key).attempts:
        if attempt.tx.private and attempt.tx.purpose is not Purpose.CANCEL:
            await relays.cancel_private(attempt.tx.tx_hash)
    await relays.cancel_bundle(get_bundle_name(cancel))
