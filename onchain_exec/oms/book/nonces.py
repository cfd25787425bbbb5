"""Which nonce an order may have.

Safety does not rest on who is thought to be alive: a slot takes signed bytes from its newest holder
only (`decisions.sign`), so a wrong guess costs a living process a second signature, never a double.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from onchain_exec.errors import JournalError
from onchain_exec.execution.plan import Purpose, lends_code
from onchain_exec.oms.book import events
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, Reservation
from onchain_exec.oms.book.states import OrderState, SlotState
from onchain_exec.oms.book.views import SlotKey, SlotView

IsLive = Callable[[SlotView], bool]
"""Whether whoever reserved the slot may still sign in it."""

_ENDED = frozenset({OrderState.DENIED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.CANCELLED})


def reserve(
    book: Book, chain: SlotKey, wanted: Reservation, is_live: IsLive
) -> Generator[Event, None, SlotKey]:
    """Return the slot that the order holds for this purpose, or the lowest free one from ``chain.nonce``
    (the chain's) upwards; yield its reservation, unless this very session holds it."""
    view = book.orders[wanted.order_id]
    begins = wanted.purpose.ends_order or wanted.purpose is Purpose.ALLOWANCE
    if begins and view.state is not OrderState.NEW:
        raise JournalError(
            f"order {view.order_id} is {view.state.value}: it has signed bytes, or an end",
            needed="a NEW order",
            todo="Send the journalled bytes again; never sign others for the same order",
        )
    floor = chain.at(max(chain.nonce, book.floors.get(chain[:2], 0)))
    slot = _find_held(book, floor, wanted) or _find_free(book, floor, is_live)
    before = book.slots.get(slot)
    if before is None or (before.order_id, before.session) != (wanted.order_id, wanted.session):
        yield events.nonce_reserved(slot, wanted, before, floor.nonce)
    return slot


def is_left_out(book: Book, key: SlotKey) -> bool:
    """Return whether lending code (EIP-7702) was to take this nonce, and something else took the one before:
    a reorg came between. Nobody has it, and later ones may wait for it."""
    if key in book.slots:
        return False
    before = book.slots.get(key.previous)
    return before is not None and _has_lent(before) and not _lends(before)


def _has_lent(slot: SlotView) -> bool:
    return any(lends_code(attempt.tx.raw) for attempt in slot.attempts)


def _lends(slot: SlotView) -> bool:
    """Return whether the slot's consumer lends code."""
    consumer = slot.get_attempt(slot.consumer.tx_hash) if slot.consumer else None
    return consumer is not None and lends_code(consumer.tx.raw)


def _find_held(book: Book, floor: SlotKey, wanted: Reservation) -> SlotKey | None:
    """Return the slot, from ``floor`` upwards, that the order holds for this purpose unsigned."""
    for key in book.orders[wanted.order_id].slots:
        slot = book.slots[key]
        unsigned = slot.state is SlotState.RESERVED and slot.purpose is wanted.purpose
        if unsigned and key[:2] == floor[:2] and key.nonce >= floor.nonce:
            return key
    return None


def is_free(book: Book, slot: SlotView, is_live: IsLive) -> bool:
    """Return whether the slot never got signed bytes and whoever reserved it is gone."""
    if slot.state is not SlotState.RESERVED:
        return False
    view = book.orders.get(slot.order_id)
    return (view is not None and view.state in _ENDED) or not is_live(slot)


def _find_free(book: Book, floor: SlotKey, is_live: IsLive) -> SlotKey:
    """Return the lowest: one that was given back, or the next that nobody had. (From the floor to the
    top every nonce has a slot, but for what lending code takes, or was to take.)"""
    top = floor.at(max(floor.nonce, book.tops.get(floor[:2], 0)))
    if floor < top and is_left_out(book, floor):
        return floor
    left = sorted(key for key in book.unsigned if key[:2] == floor[:2] and key >= floor)
    free = (key for key in left if is_free(book, book.slots[key], is_live))
    return next(free, None) or _find_unlent(book, top)


def _find_unlent(book: Book, key: SlotKey) -> SlotKey:
    """Return the slot, or the next where lending code (EIP-7702) took this nonce with the one before."""
    before = book.slots.get(key.previous)
    if before is None or not _has_lent(before):
        return key
    if before.consumer is None:
        raise JournalError(
            f"nonce {key.nonce} of {key.account} goes with nonce {key.nonce - 1}, which lends code",
            needed="the end of that transaction: an account that lends code has one on its way",
            todo="Wait until it is mined, and try again",
        )
    return key.at(key.nonce + 1) if _lends(before) else key
