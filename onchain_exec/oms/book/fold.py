"""From events to state: orders, slots, positions and gas. Replaying the lines gives the same book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from onchain_exec.core import to_address
from onchain_exec.errors import JournalError
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms.book import allowances, conduct, intents, moves
from onchain_exec.oms.book.action_terms import action_from_json
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.states import (
    UNDECIDED,
    OrderEvent,
    OrderState,
    SlotEvent,
    next_order_state,
    next_slot_state,
)
from onchain_exec.oms.book.switches import Switch, SwitchState
from onchain_exec.oms.book.terms import QuoteTerms, order_from_json
from onchain_exec.oms.book.views import Attempt, Consumer, Failure, Moves, OrderView, SlotKey, SlotView

_ORDER_EVENTS = {
    EventKind.ORDER_ACCEPTED: OrderEvent.ACCEPT,
    EventKind.ORDER_DENIED: OrderEvent.DENY,
    EventKind.ORDER_REJECTED: OrderEvent.REJECT,
    EventKind.ORDER_EXPIRED: OrderEvent.EXPIRE,
}
_SEND_EVENTS = {
    "Accepted": SlotEvent.SEND,
    "Ambiguous": SlotEvent.SEND,
    "AlreadyKnown": SlotEvent.SEE,
    "Rejected": SlotEvent.REFUSE,
}


def apply(book: Book, event: Event, recorded_at: int) -> None:
    """Take in one event, recorded at that unix second.

    Raises:
        IllegalTransitionError: the state of its order or slot does not allow it.
    """
    _HANDLERS[event.kind](book, event, recorded_at)


def _decide(book: Book, event: Event, recorded_at: int) -> None:
    """Accept, deny, reject or expire an order."""
    before = book.orders.get(event.order_id)
    happened = _ORDER_EVENTS[event.kind]
    state = next_order_state(before.state if before else None, happened, event.order_id)
    view = before or _new_order(event, state, recorded_at)
    failure = event.payload.get("failure")
    if view.client_order_id:
        book.client_ids[view.client_order_id] = event.order_id
    view = replace(
        view,
        state=state,
        failure=Failure(**failure) if failure else None,
        final=state is not OrderState.NEW,
        updated_at=recorded_at,
    )
    moves.put(book, view, recorded_at)


def _ask_cancel(book: Book, event: Event, recorded_at: int) -> None:
    """Cancel an order, or a parent with its children: at once where no swap bytes exist."""
    parent = book.parents.views.get(event.order_id)
    children = book.parents.get_children(parent) if parent else [book.orders[event.order_id]]
    for child in children:
        if child.state in UNDECIDED or parent is None:
            final = child.final or child.state is OrderState.NEW
            moves.move(book, child.order_id, OrderEvent.ASK_CANCEL, recorded_at, final=final)
    if parent:
        book.parents.move(event.order_id, OrderEvent.ASK_CANCEL, recorded_at)


def _accept_parent(book: Book, event: Event, recorded_at: int) -> None:
    parent = book.parents.accept(event.payload, recorded_at).parent
    book.client_ids[parent.client_order_id] = parent.order_id


def _end_parent(book: Book, event: Event, recorded_at: int) -> None:
    happened, failure = OrderEvent(event.payload["happened"]), Failure(**event.payload["failure"])
    book.parents.move(event.order_id, happened, recorded_at, failure=failure)


def _switch(book: Book, event: Event, recorded_at: int) -> None:
    payload, scope = event.payload, event.payload["scope"]
    times = book.switches[scope].times if scope in book.switches else 0
    state = SwitchState(payload["state"])
    book.switches[scope] = Switch(scope, state, payload["reason"], recorded_at, times + 1)


def _reserve(book: Book, event: Event, recorded_at: int) -> None:
    key, payload = _key(event), event.payload
    before = book.slots.get(key)
    state = next_slot_state(before.state if before else None, SlotEvent.RESERVE, key)
    book.slots[key] = SlotView(
        key=key,
        state=state,
        order_id=event.order_id,
        purpose=Purpose(payload["purpose"]),
        session=payload["session"],
        reserved=before.reserved + 1 if before else 1,
        orphaned=before.orphaned if before else 0,
    )
    book.floors[key[:2]] = max(payload["floor"], book.floors.get(key[:2], 0))
    book.tops[key[:2]] = max(key.nonce + 1, book.tops.get(key[:2], 0))
    book.unsettled[key] = book.unsigned[key] = None
    if before and before.order_id in book.orders:
        _forget_slot(book, before.order_id, key)
    if view := book.orders.get(event.order_id):
        book.orders[event.order_id] = replace(view, slots=(*view.slots, key))


def _forget_slot(book: Book, order_id: str, key: SlotKey) -> None:
    view = book.orders[order_id]
    book.orders[order_id] = replace(view, slots=tuple(slot for slot in view.slots if slot != key))


def _sign(book: Book, event: Event, recorded_at: int) -> None:
    key, payload = _key(event), event.payload
    slot = book.slots[key]
    purpose, tx_hash = Purpose(payload["purpose"]), payload["tx_hash"]
    state = next_slot_state(slot.state, SlotEvent.SIGN, key)
    quote = QuoteTerms.from_json(payload["quote"]) if payload["quote"] else _find_quote(slot, purpose)
    raw = bytes.fromhex(payload["raw"][2:])
    private = payload.get("private", False)  # lines of version 0001 do not say
    durable = DurableTx(event.order_id, purpose, *key, raw, tx_hash, private)
    if purpose.ends_order:
        moves.move(book, event.order_id, OrderEvent.SIGN, recorded_at, quote=quote, tx_hash=tx_hash)
    elif purpose is Purpose.CANCEL and slot.purpose.ends_order:
        moves.move(book, event.order_id, OrderEvent.SIGN_CANCEL, recorded_at)
    book.slots[key] = replace(slot, state=state, attempts=(*slot.attempts, Attempt(durable, quote)))
    book.tx_slots[tx_hash] = key
    moves.discard(book.unsigned, key)


def _send(book: Book, event: Event, recorded_at: int) -> None:
    key, payload = _key(event), event.payload
    slot = book.slots[key]
    state = next_slot_state(slot.state, _SEND_EVENTS[payload["outcome"]], key)
    attempts = tuple(
        replace(
            attempt,
            last_send=payload["outcome"],
            reason=payload["reason"],
            takers=tuple(payload.get("takers", ())) or attempt.takers,
        )
        if attempt.tx.tx_hash == payload["tx_hash"]
        else attempt
        for attempt in slot.attempts
    )
    book.slots[key] = replace(slot, state=state, attempts=attempts)


def _consume(book: Book, event: Event, recorded_at: int) -> None:
    """Give the slot its canonical consumer: the swap, another of ours, or a stranger."""
    key, payload = _key(event), event.payload
    slot = book.slots[key]
    attempt = slot.get_attempt(payload["tx_hash"])
    purpose = attempt.tx.purpose if attempt else None
    happened = {None: SlotEvent.LOSE, Purpose.CANCEL: SlotEvent.REPLACE}.get(purpose, SlotEvent.MINE)
    state = next_slot_state(slot.state, happened, key)
    consumer = Consumer(
        tx_hash=payload["tx_hash"],
        block_number=payload["block_number"],
        block_hash=payload["block_hash"],
        amount_in=int(payload.get("amount_in", 0)),
        amount_out=int(payload.get("amount_out", 0)),
        gas_cost_wei=int(payload.get("gas_cost_wei", 0)),
        moved=_read_moves(payload.get("moved", ())),
    )
    if slot.purpose.ends_order and slot.attempts:
        _end(book, event, attempt, consumer, recorded_at)
    book.slots[key] = replace(slot, state=state, consumer=consumer)
    moves.discard(book.unsigned, key)
    _count(book, book.slots[key], consumer, 1)


def _read_moves(written: Iterable[tuple[str, str]]) -> Moves:
    return tuple((to_address(token), int(change)) for token, change in written)


def _end(book: Book, event: Event, attempt: Attempt | None, consumer: Consumer, recorded_at: int) -> None:
    """Move the order whose swap's, or revocation's, slot was consumed."""
    if attempt is None:
        moves.move(book, event.order_id, OrderEvent.LOSE_NONCE, recorded_at, failure=_lost(consumer))
    elif attempt.tx.purpose is Purpose.CANCEL:
        moves.move(book, event.order_id, OrderEvent.CANCEL, recorded_at)
    elif event.payload["success"]:
        view = book.orders[event.order_id]
        fill = moves.make_fill(view, attempt.quote, consumer) if view.order else None
        calls = tuple(map(_read_moves, event.payload.get("calls", ())))
        moves.move(book, event.order_id, OrderEvent.FILL, recorded_at, fill=fill, call_moves=calls)
    else:
        failure = _reverted(consumer, event.payload["reason"])
        moves.move(book, event.order_id, OrderEvent.REVERT, recorded_at, failure=failure)


def _settle(book: Book, event: Event, recorded_at: int) -> None:
    key = _key(event)
    slot = book.slots[key]
    final = event.kind is EventKind.SLOT_FINAL
    happened = SlotEvent.FINALISE if final else SlotEvent.CONFIRM
    book.slots[key] = replace(slot, state=next_slot_state(slot.state, happened, key))
    if final:
        moves.discard(book.unsettled, key)
    if final and slot.consumer:
        moves.keep_highest(book.newest_final, key.chain_id, slot.consumer)
    if final and slot.purpose.ends_order and slot.attempts:
        view = book.orders[slot.order_id]
        moves.put(book, replace(view, final=True, updated_at=recorded_at), recorded_at)


def _orphan(book: Book, event: Event, recorded_at: int) -> None:
    """Take the consumer away, and with it the fill or failure that it made."""
    key = _key(event)
    slot = book.slots[key]
    happened = SlotEvent.ORPHAN if slot.attempts else SlotEvent.GIVE_BACK
    state = next_slot_state(slot.state, happened, key)
    if slot.purpose.ends_order and slot.attempts:
        moves.move(
            book, event.order_id, OrderEvent.ORPHAN, recorded_at, fill=None, failure=None, call_moves=()
        )
    if slot.consumer:
        _count(book, slot, slot.consumer, -1)
    book.floors[key[:2]] = min(key.nonce, book.floors.get(key[:2], 0))
    leaked = conduct.note_orphan(book, slot)
    book.slots[key] = replace(slot, state=state, consumer=None, orphaned=slot.orphaned + 1, leaked=leaked)
    if not slot.attempts:
        book.unsigned[key] = None


def _count(book: Book, slot: SlotView, consumer: Consumer, sign: int) -> None:
    """Add (or take back) what a consumer of ours moved and paid."""
    conduct.count_inclusion(book, slot, consumer, sign)
    moves.count_costs(book, slot.key.chain_id, slot.key.account, consumer, sign)
    moves.count_fill(book, book.orders.get(slot.order_id), consumer, sign)


_HANDLERS: Final[Mapping[EventKind, Callable[[Book, Event, int], None]]] = {
    **dict.fromkeys(_ORDER_EVENTS, _decide),
    EventKind.PARENT_ACCEPTED: _accept_parent,
    EventKind.PARENT_ENDED: _end_parent,
    EventKind.CANCEL_ASKED: _ask_cancel,
    EventKind.SWITCH_SET: _switch,
    EventKind.NONCE_RESERVED: _reserve,
    EventKind.TX_SIGNED: _sign,
    EventKind.TX_SENT: _send,
    EventKind.TX_MINED: _consume,
    EventKind.SLOT_FOREIGN: _consume,
    EventKind.SLOT_CONFIRMED: _settle,
    EventKind.SLOT_FINAL: _settle,
    EventKind.SLOT_ORPHANED: _orphan,
    EventKind.ALLOWANCE_FOUND: allowances.note_allowance,
    EventKind.TX_LEAKED: conduct.note_leak,
    EventKind.CHANNEL_CHOSEN: conduct.note_choice,
    EventKind.TRADE_WATCHED: conduct.note_surroundings,
    EventKind.INTENT_SIGNED: intents.note_signed,
    EventKind.INTENT_POSTED: intents.note_posted,
    EventKind.INTENT_ENDED: intents.note_ended,
    EventKind.INTENT_ORPHANED: intents.note_orphaned,
    EventKind.INTENT_FINAL: intents.note_final,
}


def fold(lines: Iterable[tuple[Event, int]]) -> Book:
    """Return the book of (event, recorded_at) lines in their order."""
    book = Book()
    for event, recorded_at in lines:
        apply(book, event, recorded_at)
    return book


def _key(event: Event) -> SlotKey:
    if event.slot is None:
        raise JournalError(f"the event {event.event_id} names no slot", needed="a slot")
    return event.slot


def _find_quote(slot: SlotView, purpose: Purpose) -> QuoteTerms | None:
    """Return the quote of the swap that a new attempt repeats for a higher fee."""
    return next((attempt.quote for attempt in slot.attempts if attempt.tx.purpose is purpose), None)


def _new_order(event: Event, state: OrderState, recorded_at: int) -> OrderView:
    terms, quote = event.payload.get("order"), event.payload.get("quote")
    order = order_from_json(terms) if terms else None
    asked = event.payload.get("action")
    action = action_from_json(asked) if asked else None
    named = order or action
    return OrderView(
        order_id=event.order_id,
        client_order_id=named.client_order_id if named else "",
        state=state,
        order=order,
        action=action,
        quote=QuoteTerms.from_json(quote) if quote else None,
        created_at=recorded_at,
        updated_at=recorded_at,
        promised=event.payload.get("promised", False),  # older lines do not say
    )


def _reverted(consumer: Consumer, reason: str) -> Failure:
    return Failure(
        "REVERTED",
        f"reverted in block {consumer.block_number}: {reason or 'no reason given'}",
        "a successful transaction",
        "Look again and give a new order; only gas was spent",
    )


def _lost(consumer: Consumer) -> Failure:
    return Failure(
        "FOREIGN_NONCE",
        f"the nonce was consumed by {consumer.tx_hash or 'a transaction'} that is not in this journal",
        "an account that only this journal uses",
        "Find out who else holds the key; the swap was not executed",
    )
