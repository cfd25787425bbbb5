"""How orders go out and what is done to them: the choice of channel, leaks, and who was around a fill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as replace_fields
from typing import Final

from msgspec.structs import replace

from onchain_exec.errors import JournalError
from onchain_exec.execution.channels import Channel, Decision, TrackRecord
from onchain_exec.execution.channels.channel import SHOWN
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms.book import events
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event
from onchain_exec.oms.book.states import OPEN, Fate, OrderState
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.oms.book.views import Consumer, IntentEnd, OrderView, SlotKey, SlotView

_SHOWN = TrackRecord(seen=1, harmed=1)
_UNWANTED: Final = frozenset(
    {OrderState.CANCEL_PENDING, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED}
)


def choose(book: Book, order_id: str, decision: Decision) -> Iterator[Event]:
    """Yield that an order goes another way than before, if it does. What was promised stays promised.

    Raises:
        JournalError: it was promised that nobody sees the order, and now everybody would.
    """
    view = book.orders[order_id]
    promised = view.stays_private
    if promised and decision.channel in SHOWN:
        raise JournalError(
            f"order {order_id} was accepted under private_only, and is to become public",
            needed="a private channel",
            todo="Wait, or cancel it and give it again without private_only",
        )
    if view.decision is None or view.decision.channel is not decision.channel:
        kept = replace_fields(decision, promised=decision.promised or promised)
        yield events.channel_chosen(order_id, kept)


def leak(book: Book, key: SlotKey, tx_hash: str) -> Iterator[Event]:
    """Yield that others have a private transaction of an open slot, unless that is known."""
    slot = book.slots[key]
    attempt = slot.get_attempt(tx_hash)
    if attempt and attempt.tx.private and slot.state in OPEN and not slot.leaked:
        yield events.tx_leaked(slot, tx_hash)


def watch(book: Book, order_id: str, found: Surroundings) -> Iterator[Event]:
    """Yield who was around the fill of an order, if that is still its fill and nobody has looked."""
    view = book.orders[order_id]
    fill = view.fill
    if fill is None or fill.block_hash != found.block_hash or view.surroundings is not None:
        return
    key = book.tx_slots.get(fill.tx_hash)
    if key in view.slots:  # else who settled its intent brought his own trade, and that may be one of ours
        yield events.trade_watched(book.slots[key], found)


def is_exposed(slot: SlotView, view: OrderView) -> bool:
    """Return whether others have private bytes of an open slot and could gain by attacking them."""
    return bool(slot.leaked) and (view.decision is None or view.decision.stakes.at_stake > 0)


def needs_cancel(slot: SlotView, view: OrderView, now: int) -> bool:
    """Return whether the newest bytes of an open slot are to be cancelled at ``now``, unix seconds: the order
    was cancelled or has expired, or ended before its swap while its approval waits, or what was private
    is not any more and can be attacked."""
    newest = slot.attempts[-1].tx
    if slot.purpose is Purpose.GAP or newest.purpose is Purpose.CANCEL:
        return False
    return view.state in _UNWANTED or view.is_expired(now) or is_exposed(slot, view)


def needs_reprice(slot: SlotView) -> bool:
    """Return whether nothing was signed since others were seen to have the slot's newest bytes."""
    return bool(slot.leaked) and slot.leaked == len(slot.attempts)


def note_choice(book: Book, event: Event, recorded_at: int) -> None:
    """Take in a choice. What was private before is not any more once the choice is public; the blocks that
    came without the order count against the channel it leaves."""
    view, decision = book.orders[event.order_id], Decision.from_json(event.payload)
    if view.decision and view.tx_hash:
        waited = max(decision.block_number - view.decision.block_number, 0)
        _add(book, view, (), TrackRecord(waited_blocks=waited))
    book.orders[event.order_id] = replace(view, decision=decision, updated_at=recorded_at)
    for key in view.slots if decision.channel is Channel.PUBLIC else ():
        slot = book.slots[key]
        shown = (replace(attempt, tx=replace_fields(attempt.tx, private=False)) for attempt in slot.attempts)
        book.slots[key] = replace(slot, attempts=tuple(shown))


def note_leak(book: Book, event: Event, recorded_at: int) -> None:
    """Take in that a private transaction is not private."""
    if event.slot is None:
        raise JournalError(f"the event {event.event_id} names no slot", needed="a slot")
    slot = book.slots[event.slot]
    book.slots[event.slot] = replace(slot, leaked=len(slot.attempts))
    _add(book, book.orders[slot.order_id], (), _SHOWN)


def note_surroundings(book: Book, event: Event, recorded_at: int) -> None:
    """Take in who was around a fill."""
    view, found = book.orders[event.order_id], Surroundings.from_json(event.payload)
    _add(book, view, (), _judge(found))
    book.orders[event.order_id] = replace(view, surroundings=found, updated_at=recorded_at)


def note_orphan(book: Book, slot: SlotView) -> int:
    """Take back what was seen around a fill that a reorg took away; return `SlotView.leaked` from now on:
    who had the block has what was private in it."""
    view = book.orders.get(slot.order_id)
    if view and view.surroundings:
        _add(book, view, (), _judge(view.surroundings), -1)
        book.orders[slot.order_id] = replace(view, surroundings=None)
    attempt = slot.get_attempt(slot.consumer.tx_hash) if slot.consumer else None
    if not attempt or not attempt.tx.private or attempt.tx.purpose is Purpose.CANCEL:
        return slot.leaked
    if view and not slot.leaked:
        _add(book, view, (), _SHOWN)
    return len(slot.attempts)


def count_inclusion(book: Book, slot: SlotView, consumer: Consumer, sign: int) -> None:
    """Count, or take back, the blocks that a swap waited, and that it was included."""
    view = book.orders.get(slot.order_id)
    attempt = slot.get_attempt(consumer.tx_hash)
    if view and view.decision and attempt and slot.purpose is Purpose.SWAP:
        included = int(attempt.tx.purpose is Purpose.SWAP)
        record = TrackRecord(_count_blocks(view.decision, consumer), included)
        _add(book, view, attempt.takers, record, sign)


def count_intent(book: Book, view: OrderView, ended: IntentEnd, sign: int) -> None:
    """Count, or take back, the blocks that an intent waited, whether it was filled, and whether it got no
    more than its bound: then whoever settled it kept all that the bound left."""
    if view.decision is None or view.intent is None:
        return
    filled, found, terms = ended.fate is Fate.FILLED, ended.consumer, view.intent.terms
    at_bound = (found.amount_in, found.amount_out) == (terms.amount_in, terms.amount_out)
    record = TrackRecord(
        waited_blocks=_count_blocks(view.decision, found),
        included=int(filled),
        seen=int(filled),
        harmed=int(filled and at_bound),
    )
    _add(book, view, (), record, sign)


def _count_blocks(decision: Decision, consumer: Consumer) -> int:
    return max(consumer.block_number - decision.block_number, 1)


def _add(book: Book, view: OrderView, takers: tuple[str, ...], what: TrackRecord, sign: int = 1) -> None:
    if view.decision is None:
        return
    name = view.decision.channel.value
    for key in (name, *(f"{name}@{taker}" for taker in takers)):
        before = book.records.get(key, TrackRecord())
        after = before + what if sign > 0 else before - what
        if after == TrackRecord():
            book.records.pop(key, None)
        else:
            book.records[key] = after


def _judge(found: Surroundings) -> TrackRecord:
    return TrackRecord(seen=1, harmed=int(found.is_attacked), refunded=int(found.refund_wei > 0))
