"""What the journal appends, given what it holds: each yields events, and sees them applied between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final, assert_never

from onchain_exec.core import Address, Order, ParentOrder, Receipt
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import (
    DuplicateOrderError,
    FencedError,
    JournalError,
    OnchainExecError,
    RevertError,
)
from onchain_exec.execution.delivery.outcome import Mined, Outcome, Reverted, StillUnknown, Superseded
from onchain_exec.execution.plan import DurableTx, Purpose, SignedTx, TxPlan, lends_code
from onchain_exec.oms.book import events
from onchain_exec.oms.book.action_terms import is_same_action
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.intents import list_fills
from onchain_exec.oms.book.parents import ParentView
from onchain_exec.oms.book.states import UNDECIDED, OrderEvent, OrderState, SlotState
from onchain_exec.oms.book.switches import (
    SWAPS,
    SwitchState,
    require_not_killed,
    require_running,
    require_venues_running,
)
from onchain_exec.oms.book.terms import is_same_terms
from onchain_exec.oms.book.views import Failure, OrderView, SlotKey, SlotView
from onchain_exec.risk import Approved
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.risk.conditions import find_broken
from onchain_exec.venues.pool import list_protocols

_LOOKS_AFTER: Final = frozenset({Purpose.CANCEL, Purpose.GAP, Purpose.REVOKE})
_CANCELLABLE: Final = (UNDECIDED | {OrderState.PARTIAL}) - {OrderState.CANCEL_PENDING}

Decision = Callable[[Book], Iterator[Event]]
"""Yields what to append; each event is applied to the book before the next is asked for."""


def find_same(book: Book, order: Order) -> OrderView | None:
    """Return the recorded order of the same client order id (or id), or None.

    Raises:
        DuplicateOrderError: it has other terms.
    """
    order_id = book.client_ids.get(order.client_order_id) or order.order_id
    view = book.orders.get(order_id)
    if order_id in book.parents.views or (view and view.order and not is_same_terms(view.order, order)):
        raise _duplicate(order.client_order_id, order_id)
    if view and view.action:
        raise _duplicate(order.client_order_id, order_id)
    return view


def find_same_action(book: Book, order: ActionOrder) -> OrderView | None:
    """Return the recorded action of the same client order id (or id), or None.

    Raises:
        DuplicateOrderError: it does something else, or is no action.
    """
    order_id = book.client_ids.get(order.client_order_id) or order.order_id
    view = book.orders.get(order_id)
    is_other = view and not (view.action and is_same_action(view.action, order))
    if order_id in book.parents.views or is_other:
        raise _duplicate(order.client_order_id, order_id)
    return view


def find_same_parent(book: Book, parent: ParentOrder) -> ParentView | None:
    """Return the recorded parent of the same client order id (or id), or None.

    Raises:
        DuplicateOrderError: it has other terms, or is no parent.
    """
    order_id = book.client_ids.get(parent.client_order_id) or parent.order_id
    view = book.parents.views.get(order_id)
    if order_id in book.orders or (view and not _is_same_parent(view.parent, parent)):
        raise _duplicate(parent.client_order_id, order_id)
    return view


def accept_parent(book: Book, parent: ParentOrder, *, promised: bool) -> Iterator[Event]:
    """Yield the parent, which keeps what was promised to the one it replaces, and that this is to be
    cancelled."""
    if find_same_parent(book, parent):
        return
    replaced = book.parents.views.get(parent.replaces)
    yield events.parent_accepted(parent, promised=promised or (replaced is not None and replaced.promised))
    if parent.replaces:
        yield from ask_cancel(book, parent.replaces)


def ask_cancel(book: Book, order_id: str) -> Iterator[Event]:
    """Yield that an order or parent is to be cancelled, if it can still be."""
    view = book.parents.views.get(order_id) or book.orders.get(order_id)
    if view and view.state in _CANCELLABLE:
        yield events.cancel_asked(order_id, view.updated_at)


def fail(book: Book, order_id: str, error: OnchainExecError) -> Iterator[Event]:
    """Yield that an order, accepted or not, failed, if nothing of it was signed."""
    view = book.orders.get(order_id)
    if view is None or view.state is OrderState.NEW:
        yield events.order_rejected(order_id, error)


def expire(book: Book, order_id: str) -> Iterator[Event]:
    """Yield that an order's time passed, if it has one and nothing of it was signed."""
    view = book.orders[order_id]
    if view.terms and view.state is OrderState.NEW:
        yield events.order_expired(view.terms)


def end_parent(book: Book, order_id: str, happened: OrderEvent, failure: Failure) -> Iterator[Event]:
    """Yield that a parent trades no more."""
    view = book.parents.views[order_id]
    if view.is_alive and view.state is not OrderState.CANCEL_PENDING:
        yield events.parent_ended(order_id, happened, failure)


def set_switch(book: Book, scope: str, state: SwitchState, reason: str) -> Iterator[Event]:
    """Yield that a scope stops or runs, unless it does."""
    before = book.switches.get(scope)
    if (before.state if before else SwitchState.RUNNING) is not state:
        yield events.switch_set(before, scope, state, reason)


def sign(
    book: Book, order_id: str, key: SlotKey, signed: SignedTx, session: str, *, private: bool
) -> Iterator[Event]:
    """Yield the signed bytes: the first of the slot's newest holder, or a replacement of what is there (the
    same for a higher fee, or a cancel). What replaces a private swap is private, and so is all of an order
    to which that was promised."""
    slot, plan = book.slots.get(key), signed.simulated.plan
    purpose = plan.purpose
    replaces = isinstance(plan.cause, DurableTx) and slot is not None and bool(slot.attempts)
    view = book.orders.get(order_id)
    _require_allowed(book, key.account, view, plan, looks_after=replaces or purpose in _LOOKS_AFTER)
    if slot is None or slot.order_id != order_id:
        raise FencedError(
            f"nonce {key.nonce} of {key.account} is not reserved for order {order_id}",
            needed="a reservation that no other process took over",
            todo="Reserve again and sign again; these bytes must not be sent",
        )
    if slot.get_attempt(signed.tx_hash):
        return
    if view is not None and view.intent and purpose.ends_order:
        raise JournalError(
            f"order {order_id} has an intent, which anybody may settle",
            needed="an order without one: a swap beside it would trade twice",
            todo="Wait for its end; these bytes must not be sent",
        )
    if purpose is not Purpose.CANCEL and (slot.purpose is not purpose or (slot.attempts and not replaces)):
        raise JournalError(
            f"nonce {key.nonce} of {key.account} holds {slot.purpose.value} bytes of order {order_id}",
            needed="a slot without signed bytes, reserved for the same purpose",
            todo="Send the bytes that are journalled; these must not be sent",
        )
    if not replaces and slot.session != session:
        raise FencedError(
            f"nonce {key.nonce} of {key.account} was reserved by {slot.session}, and {session} signs",
            needed="the reservation of whoever signs, in the same tenure of the account",
            todo="Reserve again and sign again; these bytes must not be sent",
        )
    if lends_code(signed.raw) and key.at(key.nonce + 1) in book.slots:
        raise JournalError(
            f"nonce {key.nonce} of {key.account} would lend code, and nonce {key.nonce + 1} is given out",
            needed="an account with nothing later on its way: lending code takes the next nonce, too",
            todo="Wait until it is mined, and try again; these bytes must not be sent",
        )
    hides = purpose is not Purpose.CANCEL and any(attempt.tx.private for attempt in slot.attempts)
    promised = view is not None and view.stays_private
    yield events.tx_signed(order_id, key, signed, private=private or hides or promised)


def _require_allowed(
    book: Book, account: Address, view: OrderView | None, plan: TxPlan, *, looks_after: bool
) -> None:
    """Raise HaltedError if the account's switch, or that of a venue that the plan's order goes through,
    forbids a signature. What looks after what was signed before, a kill alone stops."""
    if looks_after or (view and view.action and view.action.takes_back):
        require_not_killed(book.switches, account)
        return
    require_running(book.switches, account)
    match plan.cause:
        case Approved(quote=quote):
            require_venues_running(book.switches, (SWAPS, *list_protocols(quote.route.hops)))
        case ApprovedAction(order=order):
            require_venues_running(book.switches, order.venues)
        case _:  # of what was signed before, or an approval taken back
            return


def _is_same_parent(one: ParentOrder, other: ParentOrder) -> bool:
    """Return whether both ask for the same; their own ids and times may differ."""
    own = replace(one, order_id=other.order_id, starts_at=other.starts_at, expires_at=other.expires_at)
    return own == other


def _duplicate(client_order_id: str, order_id: str) -> DuplicateOrderError:
    return DuplicateOrderError(
        f"client order id {client_order_id!r} belongs to order {order_id} with other terms",
        needed="the same terms, or a new id",
        todo=f"Look at it with `onchain-exec show {order_id}`",
    )


def get_slot(book: Book, durable: DurableTx) -> SlotView:
    """Return the slot that holds the bytes, or raise JournalError."""
    key = book.tx_slots.get(durable.tx_hash)
    if key is None:
        raise JournalError(f"the transaction {durable.tx_hash} is not in this journal")
    return book.slots[key]


def conclude(book: Book, durable: DurableTx, outcome: Outcome, confirmed_depth: int) -> Iterator[Event]:
    """Yield what the end of a wait says about the slot."""
    slot = get_slot(book, durable)
    match outcome:
        case Mined(receipt, confirmations):
            yield from consume(book, slot.key, receipt)
            if confirmations >= confirmed_depth:
                yield from confirm(book, slot.key)
        case Reverted(receipt, confirmations, reason):
            yield from consume(book, slot.key, receipt, reason)
            if confirmations >= confirmed_depth:
                yield from confirm(book, slot.key)
        case Superseded(tx_hash):
            if slot.get_attempt(tx_hash) is None:  # another attempt of ours has its own outcome
                yield from lose(book, slot.key, tx_hash)
        case StillUnknown():
            pass
        case never:
            assert_never(never)


def correct(book: Book, seen: SlotView, found: Iterator[Event]) -> Iterator[Event]:
    """Yield what was found of a slot, unless it has another consumer than it was ``seen`` to have before the
    chain was looked at: who recorded that since may have looked later."""
    if book.slots[seen.key].consumer == seen.consumer:
        yield from found


def consume(book: Book, key: SlotKey, receipt: Receipt, reason: RevertError | str = "") -> Iterator[Event]:
    """Yield that our attempt consumes the slot, instead of whatever was recorded before, and that an order
    which waited for an approval there ends if it was none, or reverted."""
    consumer = book.slots[key].consumer
    if consumer and (consumer.tx_hash, consumer.block_hash) != (receipt.tx_hash, receipt.block_hash):
        yield from orphan(book, key)
    if (slot := book.slots[key]).consumer is None:
        view, attempt = book.orders.get(slot.order_id), slot.get_attempt(receipt.tx_hash)
        told = _tell(view, reason)
        yield events.tx_mined(slot, view, receipt, told, list_fills(book, key.chain_id, receipt))
        if not (receipt.success and attempt and attempt.tx.purpose is Purpose.ALLOWANCE):
            yield from _reject_unapproved(book, key, told)


def _reject_unapproved(book: Book, key: SlotKey, reason: str = "") -> Iterator[Event]:
    """Yield that an order without swap bytes ends with the signed approval that the slot was to carry."""
    slot = book.slots[key]
    view = book.orders.get(slot.order_id)
    if slot.purpose is Purpose.ALLOWANCE and slot.attempts and view and view.state is OrderState.NEW:
        yield events.approval_failed(slot, reason)


def _tell(view: OrderView | None, reason: RevertError | str) -> str:
    """Return why a transaction reverted, with what that says of the order's own conditions."""
    terms = view.terms if view else None
    if terms and isinstance(reason, RevertError):
        broken = find_broken(terms.conditions, reason, "the call")
        if broken:
            return f"{broken[0]}, needed: {broken[1]} ({reason})"
    return str(reason)


def lose(book: Book, key: SlotKey, tx_hash: str) -> Iterator[Event]:
    """Yield that a stranger's transaction consumes the slot (its hash empty where nobody knows it), and that
    an order whose approval waited there ends."""
    slot = book.slots[key]
    known = slot.consumer.tx_hash if slot.consumer else None
    if slot.state is SlotState.FOREIGN and (known == tx_hash or "" in (known, tx_hash)):
        return
    yield from orphan(book, key)
    yield events.slot_foreign(book.slots[key], tx_hash)
    yield from _reject_unapproved(book, key)


def orphan(book: Book, key: SlotKey) -> Iterator[Event]:
    """Yield that the slot's consumer, if it has one, left the chain."""
    slot = book.slots[key]
    if slot.consumer:
        yield events.slot_step(EventKind.SLOT_ORPHANED, slot, slot.consumer)


def confirm(book: Book, key: SlotKey) -> Iterator[Event]:
    """Yield that the slot's consumer, one of ours, is deep enough."""
    slot = book.slots[key]
    if slot.consumer and slot.state is SlotState.MINED:
        yield events.slot_step(EventKind.SLOT_CONFIRMED, slot, slot.consumer)


def finalise(book: Book, key: SlotKey) -> Iterator[Event]:
    """Yield that the slot's consumer is finalised, which closes the slot."""
    slot = book.slots[key]
    if slot.consumer and slot.state is not SlotState.FINAL:
        yield events.slot_step(EventKind.SLOT_FINAL, slot, slot.consumer)
