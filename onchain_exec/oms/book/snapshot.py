"""A book as bytes, and back: what the lines up to one of them give, so that a replay may start there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import islice
from typing import Any, Final

import msgspec
from msgspec import structs

from onchain_exec.core import Address, Token
from onchain_exec.execution.channels import TrackRecord
from onchain_exec.oms.book.fold import Book
from onchain_exec.oms.book.parents import ParentView
from onchain_exec.oms.book.switches import Switch
from onchain_exec.oms.book.terms import fraction_from_text
from onchain_exec.oms.book.views import Consumer, OrderView, SlotKey, SlotView

FOLD: Final = 1
"""To be raised whenever the same lines give another book than the release before made of them."""

_AT_ONCE: Final = 5_000
"""Orders, or slots, of one part: some megabytes."""


class Part(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A piece of a book. What is not here follows from it: in which slot a transaction stands, and the sums
    over a parent's children."""

    orders: list[OrderView] = []
    slots: list[SlotView] = []
    parents: list[ParentView] = []
    switches: list[Switch] = []
    client_ids: dict[str, str] = {}
    floors: list[tuple[tuple[int, Address], int]] = []
    tops: list[tuple[tuple[int, Address], int]] = []
    undecided: list[str] = []
    unsettled: list[SlotKey] = []
    unsigned: list[SlotKey] = []
    newest_final: list[tuple[int, Consumer]] = []
    positions: list[tuple[tuple[int, Address, Address], int]] = []
    gas_wei: list[tuple[tuple[int, Address], int]] = []
    records: dict[str, TrackRecord] = {}


def split(book: Book) -> Iterator[bytes]:
    """Yield the book as JSON, in parts; equal books give equal bytes."""
    encode = msgspec.json.Encoder(enc_hook=_to_text).encode
    orders, slots = iter(book.orders.values()), iter(book.slots.values())
    while part := list(islice(orders, _AT_ONCE)):
        yield encode(Part(orders=part))
    while places := list(islice(slots, _AT_ONCE)):
        yield encode(Part(slots=places))
    yield encode(
        Part(
            parents=list(book.parents.views.values()),
            switches=list(book.switches.values()),
            client_ids=dict(book.client_ids),
            floors=list(book.floors.items()),
            tops=list(book.tops.items()),
            undecided=list(book.undecided),
            unsettled=list(book.unsettled),
            unsigned=list(book.unsigned),
            newest_final=list(book.newest_final.items()),
            positions=list(book.positions.items()),
            gas_wei=list(book.gas_wei.items()),
            records=dict(book.records),
        )
    )


def join(parts: Iterable[bytes]) -> Book:
    """Return the book that `split` wrote.

    Raises:
        msgspec.MsgspecError: it is of another format.
    """
    book = Book()
    decode = msgspec.json.Decoder(Part, dec_hook=_from_text).decode
    tokens: dict[Token, Token] = {}
    for part in map(decode, parts):
        book.orders.update({view.order_id: _share_tokens(view, tokens) for view in part.orders})
        slots = [_share_terms(slot, book.orders.get(slot.order_id)) for slot in part.slots]
        book.slots.update({slot.key: slot for slot in slots})
        book.tx_slots.update({attempt.tx.tx_hash: slot.key for slot in slots for attempt in slot.attempts})
        book.parents.restore(part.parents)
        book.switches.update({switch.scope: switch for switch in part.switches})
        book.client_ids.update(part.client_ids)
        book.floors.update(part.floors)
        book.tops.update(part.tops)
        book.undecided.update(dict.fromkeys(part.undecided))
        book.unsettled.update(dict.fromkeys(part.unsettled))
        book.unsigned.update(dict.fromkeys(part.unsigned))
        book.newest_final.update(part.newest_final)
        book.positions.update(part.positions)
        book.gas_wei.update(part.gas_wei)
        book.records.update(part.records)
    return book


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
