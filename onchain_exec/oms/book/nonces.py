"""Which nonce an order may have.

Safety does not rest on who is thought to be alive: a slot takes signed bytes from its newest holder
only (`decisions.sign`), so a wrong guess costs a living process a second signature, never a double.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from onchain_exec.errors import JournalError
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms.book import events
from onchain_exec.oms.book.events import Event, Reservation
from onchain_exec.oms.book.fold import Book
from onchain_exec.oms.book.states import OrderState, SlotState
from onchain_exec.oms.book.views import SlotKey, SlotView

IsAlive = Callable[[str], bool]
"""Whether the session of that name still runs."""

_ENDED = frozenset({OrderState.DENIED, OrderState.REJECTED, OrderState.EXPIRED})


def reserve(book: Book, key: SlotKey, wanted: Reservation, is_alive: IsAlive) -> Iterator[Event]:
    """Yield the reservation of the lowest free nonce from ``key.nonce`` (the chain's) upwards.

    Nothing is yielded when the order already holds one for this purpose; see `find_held`.
    """
    view = book.orders[wanted.order_id]
    if wanted.purpose is not Purpose.ALLOWANCE and view.state is not OrderState.NEW:
        raise JournalError(
            f"order {view.order_id} is {view.state.value}: it has signed bytes, or an end",
            needed="a NEW order",
            todo="Send the journalled bytes again; never sign others for the same order",
        )
    floor = max(key.nonce, book.floors.get(key[:2], 0))
    held = find_held(book, key._replace(nonce=floor), wanted)
    nonce = held.nonce if held else _find_free(book, key._replace(nonce=floor), is_alive)
    slot = key._replace(nonce=nonce)
    if held is None or book.slots[slot].session != wanted.session:
        yield events.nonce_reserved(slot, wanted, book.slots.get(slot), floor)


def find_held(book: Book, floor: SlotKey, wanted: Reservation) -> SlotKey | None:
    """Return the slot, from ``floor`` upwards, that the order holds for this purpose unsigned."""
    for key in book.orders[wanted.order_id].slots:
        slot = book.slots[key]
        unsigned = slot.state is SlotState.RESERVED and slot.purpose is wanted.purpose
        if unsigned and key[:2] == floor[:2] and key.nonce >= floor.nonce:
            return key
    return None


def is_free(book: Book, slot: SlotView, is_alive: IsAlive) -> bool:
    """Return whether the slot never got signed bytes and whoever reserved it is gone."""
    if slot.attempts or slot.state not in (SlotState.RESERVED, SlotState.ORPHANED):
        return False
    view = book.orders.get(slot.order_id)
    return (view is not None and view.state in _ENDED) or not is_alive(slot.session)


def _find_free(book: Book, floor: SlotKey, is_alive: IsAlive) -> int:
    key = floor
    while slot := book.slots.get(key):
        if is_free(book, slot, is_alive):
            break
        key = key._replace(nonce=key.nonce + 1)
    return key.nonce
