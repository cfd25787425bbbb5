"""From events to state: orders, slots, positions and gas. Replaying the lines gives the same book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from onchain_exec.core import Address, to_address
from onchain_exec.errors import JournalError
from onchain_exec.execution.channels import TrackRecord
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms.book import allowances, conduct
from onchain_exec.oms.book.action_terms import action_from_json
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.fill import Fill, get_slippage_bps
from onchain_exec.oms.book.parents import Parents
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
from onchain_exec.oms.book.undo import TrackedDict, UndoDict, UndoLog
from onchain_exec.oms.book.views import Attempt, Consumer, Failure, OrderView, SlotKey, SlotView

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


class Book:
    """All that the events say, as one mutable value; `apply` is its only writer.

    ``positions`` are base units by (chain id, owner, token), ``gas_wei`` wei paid by (chain id,
    account), both from canonical receipts of our transactions; a reorg takes them back. ``floors``
    are the highest nonces that the chain was seen to expect since the last reorg, ``tops`` the nonces after
    the highest that was reserved, both by (chain id, account). ``undecided`` are the orders without an end,
    ``unsettled`` the slots without a final consumer, ``unsigned`` those without any bytes and without
    a consumer, ``newest_final`` the highest final transactions of ours by chain id, ``switches`` what
    people stopped, by scope, ``records`` what the chain has shown of each channel, and of each endpoint
    as ``CHANNEL@ENDPOINT``, ``allowances`` what others were last found able to pull. ``undo`` takes the
    last events back.
    """

    def __init__(self) -> None:
        log = self.undo = UndoLog()
        self.orders: TrackedDict[str, OrderView] = TrackedDict(log)
        self.parents = Parents(log, self.orders)
        self.switches: dict[str, Switch] = UndoDict(log)
        self.slots: TrackedDict[SlotKey, SlotView] = TrackedDict(log)
        self.client_ids: dict[str, str] = UndoDict(log)
        self.tx_slots: dict[str, SlotKey] = UndoDict(log)
        self.floors: dict[tuple[int, Address], int] = UndoDict(log)
        self.tops: dict[tuple[int, Address], int] = UndoDict(log)
        self.undecided: dict[str, None] = UndoDict(log)
        self.unsettled: dict[SlotKey, None] = UndoDict(log)
        self.unsigned: dict[SlotKey, None] = UndoDict(log)
        self.newest_final: dict[int, Consumer] = UndoDict(log)
        self.positions: dict[tuple[int, Address, Address], int] = UndoDict(log)
        self.gas_wei: dict[tuple[int, Address], int] = UndoDict(log)
        self.records: dict[str, TrackRecord] = UndoDict(log)
        self.allowances: dict[allowances.AllowanceKey, allowances.Found] = UndoDict(log)

    def apply(self, event: Event, recorded_at: int) -> None:
        """Take in one event, recorded at that unix second.

        Raises:
            IllegalTransitionError: the state of its order or slot does not allow it.
        """
        _HANDLERS[event.kind](self, event, recorded_at)

    def _decide(self, event: Event, recorded_at: int) -> None:
        """Accept, deny, reject or expire an order."""
        before = self.orders.get(event.order_id)
        happened = _ORDER_EVENTS[event.kind]
        state = next_order_state(before.state if before else None, happened, event.order_id)
        view = before or _new_order(event, state, recorded_at)
        failure = event.payload.get("failure")
        if view.client_order_id:
            self.client_ids[view.client_order_id] = event.order_id
        view = replace(
            view,
            state=state,
            failure=Failure(**failure) if failure else None,
            final=state is not OrderState.NEW,
            updated_at=recorded_at,
        )
        self._put(view, recorded_at)

    def _ask_cancel(self, event: Event, recorded_at: int) -> None:
        """Cancel an order, or a parent with its children: at once where no swap bytes exist."""
        parent = self.parents.views.get(event.order_id)
        children = self.parents.get_children(parent) if parent else [self.orders[event.order_id]]
        for child in children:
            if child.state in UNDECIDED or parent is None:
                final = child.final or child.state is OrderState.NEW
                self._move(
                    replace(event, order_id=child.order_id), OrderEvent.ASK_CANCEL, recorded_at, final=final
                )
        if parent:
            self.parents.move(event.order_id, OrderEvent.ASK_CANCEL, recorded_at)

    def _accept_parent(self, event: Event, recorded_at: int) -> None:
        parent = self.parents.accept(event.payload["parent"], recorded_at).parent
        self.client_ids[parent.client_order_id] = parent.order_id

    def _end_parent(self, event: Event, recorded_at: int) -> None:
        happened, failure = OrderEvent(event.payload["happened"]), Failure(**event.payload["failure"])
        self.parents.move(event.order_id, happened, recorded_at, failure=failure)

    def _switch(self, event: Event, recorded_at: int) -> None:
        payload, scope = event.payload, event.payload["scope"]
        times = self.switches[scope].times if scope in self.switches else 0
        state = SwitchState(payload["state"])
        self.switches[scope] = Switch(scope, state, payload["reason"], recorded_at, times + 1)

    def _reserve(self, event: Event, recorded_at: int) -> None:
        key, payload = _key(event), event.payload
        before = self.slots.get(key)
        state = next_slot_state(before.state if before else None, SlotEvent.RESERVE, key)
        self.slots[key] = SlotView(
            key=key,
            state=state,
            order_id=event.order_id,
            purpose=Purpose(payload["purpose"]),
            session=payload["session"],
            reserved=before.reserved + 1 if before else 1,
            orphaned=before.orphaned if before else 0,
        )
        self.floors[key[:2]] = max(payload["floor"], self.floors.get(key[:2], 0))
        self.tops[key[:2]] = max(key.nonce + 1, self.tops.get(key[:2], 0))
        self.unsettled[key] = self.unsigned[key] = None
        if before and before.order_id in self.orders:
            self._forget_slot(before.order_id, key)
        if view := self.orders.get(event.order_id):
            self.orders[event.order_id] = replace(view, slots=(*view.slots, key))

    def _forget_slot(self, order_id: str, key: SlotKey) -> None:
        view = self.orders[order_id]
        self.orders[order_id] = replace(view, slots=tuple(slot for slot in view.slots if slot != key))

    def _sign(self, event: Event, recorded_at: int) -> None:
        key, payload = _key(event), event.payload
        slot = self.slots[key]
        purpose, tx_hash = Purpose(payload["purpose"]), payload["tx_hash"]
        state = next_slot_state(slot.state, SlotEvent.SIGN, key)
        quote = QuoteTerms.from_json(payload["quote"]) if payload["quote"] else _find_quote(slot, purpose)
        raw = bytes.fromhex(payload["raw"][2:])
        private = payload.get("private", False)  # lines of version 0001 do not say
        durable = DurableTx(event.order_id, purpose, *key, raw, tx_hash, private)
        if purpose.ends_order:
            self._move(event, OrderEvent.SIGN, recorded_at, quote=quote, tx_hash=tx_hash)
        elif purpose is Purpose.CANCEL and slot.purpose.ends_order:
            self._move(event, OrderEvent.SIGN_CANCEL, recorded_at)
        self.slots[key] = replace(slot, state=state, attempts=(*slot.attempts, Attempt(durable, quote)))
        self.tx_slots[tx_hash] = key
        _discard(self.unsigned, key)

    def _send(self, event: Event, recorded_at: int) -> None:
        key, payload = _key(event), event.payload
        slot = self.slots[key]
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
        self.slots[key] = replace(slot, state=state, attempts=attempts)

    def _consume(self, event: Event, recorded_at: int) -> None:
        """Give the slot its canonical consumer: the swap, another of ours, or a stranger."""
        key, payload = _key(event), event.payload
        slot = self.slots[key]
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
            moved=tuple((to_address(token), int(change)) for token, change in payload.get("moved", ())),
        )
        if slot.purpose.ends_order and slot.attempts:
            self._end(event, attempt, consumer, recorded_at)
        self.slots[key] = replace(slot, state=state, consumer=consumer)
        _discard(self.unsigned, key)
        self._count(self.slots[key], consumer, 1)

    def _end(self, event: Event, attempt: Attempt | None, consumer: Consumer, recorded_at: int) -> None:
        """Move the order whose swap's, or revocation's, slot was consumed."""
        if attempt is None:
            self._move(event, OrderEvent.LOSE_NONCE, recorded_at, failure=_lost(consumer))
        elif attempt.tx.purpose is Purpose.CANCEL:
            self._move(event, OrderEvent.CANCEL, recorded_at)
        elif event.payload["success"]:
            view = self.orders[event.order_id]
            fill = _make_fill(view, attempt, consumer) if view.order else None
            self._move(event, OrderEvent.FILL, recorded_at, fill=fill)
        else:
            failure = _reverted(consumer, event.payload["reason"])
            self._move(event, OrderEvent.REVERT, recorded_at, failure=failure)

    def _settle(self, event: Event, recorded_at: int) -> None:
        key = _key(event)
        slot = self.slots[key]
        final = event.kind is EventKind.SLOT_FINAL
        happened = SlotEvent.FINALISE if final else SlotEvent.CONFIRM
        self.slots[key] = replace(slot, state=next_slot_state(slot.state, happened, key))
        if final:
            _discard(self.unsettled, key)
        if final and slot.consumer:
            _keep_highest(self.newest_final, key.chain_id, slot.consumer)
        if final and slot.purpose.ends_order and slot.attempts:
            view = self.orders[slot.order_id]
            self._put(replace(view, final=True, updated_at=recorded_at), recorded_at)

    def _orphan(self, event: Event, recorded_at: int) -> None:
        """Take the consumer away, and with it the fill or failure that it made."""
        key = _key(event)
        slot = self.slots[key]
        state = next_slot_state(slot.state, SlotEvent.ORPHAN, key)
        if slot.purpose.ends_order and slot.attempts:
            self._move(event, OrderEvent.ORPHAN, recorded_at, fill=None, failure=None)
        if slot.consumer:
            self._count(slot, slot.consumer, -1)
        self.floors[key[:2]] = min(key.nonce, self.floors.get(key[:2], 0))
        leaked = conduct.note_orphan(self, slot)
        self.slots[key] = replace(slot, state=state, consumer=None, orphaned=slot.orphaned + 1, leaked=leaked)
        if not slot.attempts:
            self.unsigned[key] = None

    def _move(self, event: Event, happened: OrderEvent, recorded_at: int, **changes: Any) -> None:
        view = self.orders[event.order_id]
        state = next_order_state(view.state, happened, event.order_id)
        self._put(replace(view, state=state, updated_at=recorded_at, **changes), recorded_at)

    def _put(self, view: OrderView, recorded_at: int) -> None:
        before = self.orders.get(view.order_id)
        self.orders[view.order_id] = view
        if view.state in UNDECIDED:
            self.undecided[view.order_id] = None
        else:
            _discard(self.undecided, view.order_id)
        self.parents.follow(before, view, recorded_at)

    def _count(self, slot: SlotView, consumer: Consumer, sign: int) -> None:
        """Add (or take back) what a consumer of ours moved and paid."""
        chain_id, account, _ = slot.key
        conduct.count_inclusion(self, slot, consumer, sign)
        _add(self.gas_wei, (chain_id, account), sign * consumer.gas_cost_wei)
        view = self.orders.get(slot.order_id)
        if view and view.order and (consumer.amount_in or consumer.amount_out):
            order = view.order
            _add(self.positions, (chain_id, account, order.token_in.address), -sign * consumer.amount_in)
            key_out = (chain_id, order.recipient, order.token_out.address)
            _add(self.positions, key_out, sign * consumer.amount_out)
        for token, change in consumer.moved:
            _add(self.positions, (chain_id, account, token), sign * change)


_HANDLERS: Final[Mapping[EventKind, Callable[[Book, Event, int], None]]] = {
    **dict.fromkeys(_ORDER_EVENTS, Book._decide),
    EventKind.PARENT_ACCEPTED: Book._accept_parent,
    EventKind.PARENT_ENDED: Book._end_parent,
    EventKind.CANCEL_ASKED: Book._ask_cancel,
    EventKind.SWITCH_SET: Book._switch,
    EventKind.NONCE_RESERVED: Book._reserve,
    EventKind.TX_SIGNED: Book._sign,
    EventKind.TX_SENT: Book._send,
    EventKind.TX_MINED: Book._consume,
    EventKind.SLOT_FOREIGN: Book._consume,
    EventKind.SLOT_CONFIRMED: Book._settle,
    EventKind.SLOT_FINAL: Book._settle,
    EventKind.SLOT_ORPHANED: Book._orphan,
    EventKind.ALLOWANCE_FOUND: allowances.note_allowance,
    EventKind.TX_LEAKED: conduct.note_leak,
    EventKind.CHANNEL_CHOSEN: conduct.note_choice,
    EventKind.TRADE_WATCHED: conduct.note_surroundings,
}


def fold(lines: Iterable[tuple[Event, int]]) -> Book:
    """Return the book of (event, recorded_at) lines in their order."""
    book = Book()
    for event, recorded_at in lines:
        book.apply(event, recorded_at)
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
    )


def _make_fill(view: OrderView, attempt: Attempt, consumer: Consumer) -> Fill:
    order, quote = view.order, attempt.quote
    if order is None or quote is None:
        raise JournalError(f"the fill of order {view.order_id} has no terms", needed="an accepted order")
    return Fill(
        order_id=view.order_id,
        tx_hash=consumer.tx_hash,
        block_number=consumer.block_number,
        block_hash=consumer.block_hash,
        amount_in=consumer.amount_in,
        amount_out=consumer.amount_out,
        gas_cost_wei=consumer.gas_cost_wei,
        slippage_bps=get_slippage_bps(order, quote, consumer.amount_in, consumer.amount_out),
    )


def _reverted(consumer: Consumer, reason: str) -> Failure:
    return Failure(
        "REVERTED",
        f"the swap reverted in block {consumer.block_number}: {reason or 'no reason given'}",
        "a successful transaction",
        "Quote again and give a new order; only gas was spent",
    )


def _lost(consumer: Consumer) -> Failure:
    return Failure(
        "FOREIGN_NONCE",
        f"the nonce was consumed by {consumer.tx_hash or 'a transaction'} that is not in this journal",
        "an account that only this journal uses",
        "Find out who else holds the key; the swap was not executed",
    )


def _add(totals: dict[Any, int], key: Any, amount: int) -> None:
    """Add, keeping no zeros: a book whose fills were all busted equals one that never had any."""
    total = totals.get(key, 0) + amount
    if total:
        totals[key] = total
    else:
        _discard(totals, key)


def _discard(entries: dict[Any, Any], key: Any) -> None:
    entries.pop(key, None)


def _keep_highest(consumers: dict[int, Consumer], chain_id: int, consumer: Consumer) -> None:
    before = consumers.get(chain_id)
    if consumer.block_hash and (before is None or consumer.block_number >= before.block_number):
        consumers[chain_id] = consumer
