"""A book as bytes, and back: what the lines up to one of them give, so that a replay may start there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
from msgspec import structs

from onchain_exec.core import Address, Token
from onchain_exec.execution.channels import TrackRecord
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.parents import ParentView
from onchain_exec.oms.book.states import SlotState
from onchain_exec.oms.book.switches import Switch
from onchain_exec.oms.book.terms import fraction_from_text
from onchain_exec.oms.book.views import AllowanceKey, Consumer, Found, OrderView, SlotView

View = TypeVar("View", OrderView, SlotView, ParentView)

FOLD: Final = 3
"""To be raised whenever the same lines give another book than the release before made of them."""

_AT_ONCE: Final = 200
"""Orders, slots or parents of one part: they are put into bytes within some 2 ms, while which no other
thread runs."""


class Part(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A piece of a book; a later one's orders, slots and parents take the place of an earlier one's. What is
    not here follows from it: who has which client order id, where a transaction stands, which slots are
    open, and the sums over a parent's children."""

    orders: list[OrderView] = []
    slots: list[SlotView] = []
    parents: list[ParentView] = []
    rest: Rest | None = None


class Rest(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The small things, all of them; they end what a book gives."""

    switches: list[Switch] = []
    floors: list[tuple[tuple[int, Address], int]] = []
    tops: list[tuple[tuple[int, Address], int]] = []
    undecided: list[str] = []
    newest_final: list[tuple[int, Consumer]] = []
    positions: list[tuple[tuple[int, Address, Address], int]] = []
    gas_wei: list[tuple[tuple[int, Address], int]] = []
    records: dict[str, TrackRecord] = {}
    allowances: list[tuple[AllowanceKey, Found]] = []


def split(book: Book) -> Iterator[Part]:
    """Yield the whole book."""
    return _split(book, book.orders.values(), book.slots.values(), book.parents.views.values())


def split_changes(book: Book) -> Iterator[Part]:
    """Yield what became of the book since `forget_changes`."""
    return _split(
        book, book.orders.list_changed(), book.slots.list_changed(), book.parents.views.list_changed()
    )


def forget_changes(book: Book, until: int) -> None:
    """Forget what lines up to this one changed: it was put away."""
    for views in (book.orders, book.slots, book.parents.views):
        views.forget_changes(until)


def count(book: Book) -> int:
    """Return how many orders, slots and parents there are."""
    return len(book.orders) + len(book.slots) + len(book.parents.views)


def _split(
    book: Book, orders: Iterable[OrderView], slots: Iterable[SlotView], parents: Iterable[ParentView]
) -> Iterator[Part]:
    """Yield parts that hold what is there now, whatever the book becomes."""
    yield from (Part(orders=group) for group in _group(orders))
    yield from (Part(slots=group) for group in _group(slots))
    yield from (Part(parents=group) for group in _group(parents))
    yield Part(
        rest=Rest(
            switches=list(book.switches.values()),
            floors=list(book.floors.items()),
            tops=list(book.tops.items()),
            undecided=list(book.undecided),
            newest_final=list(book.newest_final.items()),
            positions=list(book.positions.items()),
            gas_wei=list(book.gas_wei.items()),
            records=dict(book.records),
            allowances=list(book.allowances.items()),
        )
    )


def _group(views: Iterable[View]) -> Iterator[list[View]]:
    left = iter(views)
    while group := list(islice(left, _AT_ONCE)):
        yield group


def encode(part: Part) -> bytes:
    """Return the part as JSON; equal parts give equal bytes."""
    return _ENCODER.encode(part)


def decode(body: bytes) -> Part:
    """Return the part that `encode` wrote.

    Raises:
        msgspec.MsgspecError: it is of another format.
    """
    return _DECODER.decode(body)


def join(parts: Iterable[Part]) -> Book:
    """Return the book of parts that were split off, the oldest first.

    Raises:
        ValueError: the last ones are missing.
    """
    book, parents = Book(), dict[str, ParentView]()
    tokens: dict[Token, Token] = {}
    rest = None
    for part in parts:
        book.orders.update({view.order_id: _share_tokens(view, tokens) for view in part.orders})
        slots = [_share_terms(slot, book.orders.get(slot.order_id)) for slot in part.slots]
        book.slots.update({slot.key: slot for slot in slots})
        parents.update({view.parent.order_id: view for view in part.parents})
        rest = part.rest
    if rest is None:
        raise ValueError("the parts end too soon")
    book.parents.restore(parents.values())
    _find_places(book)
    book.switches.update({switch.scope: switch for switch in rest.switches})
    book.floors.update(rest.floors)
    book.tops.update(rest.tops)
    book.undecided.update(dict.fromkeys(rest.undecided))
    book.newest_final.update(rest.newest_final)
    book.positions.update(rest.positions)
    book.gas_wei.update(rest.gas_wei)
    book.records.update(rest.records)
    book.allowances.update(rest.allowances)
    return book


def _find_places(book: Book) -> None:
    """Fill in what follows from the orders, parents and slots."""
    for view in book.orders.values():
        if view.client_order_id:
            book.client_ids[view.client_order_id] = view.order_id
        if view.order and view.intent:
            book.lanes[view.intent.terms.get_key(view.order)] = view.order_id
            if not view.intent.final:
                book.intents[view.order_id] = None
    for parent_id, parent in book.parents.views.items():
        book.client_ids[parent.parent.client_order_id] = parent_id
    for key, slot in book.slots.items():
        book.tx_slots.update({attempt.tx.tx_hash: key for attempt in slot.attempts})
        if slot.state is not SlotState.FINAL:
            book.unsettled[key] = None
        if not slot.attempts and slot.consumer is None:
            book.unsigned[key] = None


def _share_tokens(view: OrderView, tokens: dict[Token, Token]) -> OrderView:
    """Return the order with one object for each token, as the fold makes it: a journal names few."""
    if (order := view.order) is None:
        return view
    token_in, token_out = (tokens.setdefault(token, token) for token in (order.token_in, order.token_out))
    return structs.replace(view, order=replace(order, token_in=token_in, token_out=token_out))


def _share_terms(slot: SlotView, view: OrderView | None) -> SlotView:
    """Return the slot with one object for what it has in common with its order."""
    if view is None:
        return slot
    attempts = (
        structs.replace(
            attempt,
            tx=replace(attempt.tx, order_id=view.order_id, sender=slot.key.account),
            quote=view.quote if attempt.quote == view.quote else attempt.quote,
        )
        for attempt in slot.attempts
    )
    return structs.replace(slot, order_id=view.order_id, attempts=tuple(attempts))


@cache
def get_format() -> str:
    """Return what names the shapes of all that a book holds, and how it is folded."""
    schema = msgspec.json.encode(
        msgspec.json.schema(Part, schema_hook=lambda _: {"type": "string"}), order="sorted"
    )
    return f"{FOLD}/{hashlib.sha256(schema).hexdigest()}"


def _to_text(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} in a book")


def _from_text(wanted: type, value: Any) -> Fraction:
    if wanted is Fraction:
        return fraction_from_text(value)
    raise NotImplementedError(f"a {wanted.__name__} in a book")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_to_text)
_DECODER: Final = msgspec.json.Decoder(Part, dec_hook=_from_text)
