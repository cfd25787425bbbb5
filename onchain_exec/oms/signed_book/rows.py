"""Rows of the book's tables: how a signed order is written, and read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, Final, Self

import msgspec
from sqlalchemy import Select, and_, bindparam, delete, exists, func, insert, select, update

from onchain_exec.clearing.settle import Domain, SettleOrder, Signed
from onchain_exec.clearing.settle.order_book import BookedFill, OpenOrder, Refusal, RefusalCode
from onchain_exec.core import Address
from onchain_exec.oms.signed_book.terms import (
    order_from_json,
    order_to_json,
    signed_from_json,
    signed_to_json,
)
from onchain_exec.oms.signed_book.view import BookedOrder
from onchain_exec.oms.storage import Driver
from onchain_exec.oms.storage.driver import Statement
from onchain_exec.oms.storage.schema import SIGNED_FILLS, SIGNED_HEAD, SIGNED_ORDERS

_O, _F = SIGNED_ORDERS.c, SIGNED_FILLS.c
_OF_DOMAIN: Final = (_O.chain_id == bindparam("chain_id"), _O.contract == bindparam("contract"))
_OF_OWNER: Final = (*_OF_DOMAIN, _O.owner == bindparam("owner"))
_ENDED_LATELY: Final = (_O.base_block >= bindparam("since_block")) | exists().where(
    _F.digest == _O.digest, _F.block_number >= bindparam("since_block")
)
_ENDED_FOR_GOOD: Final = and_(*_OF_DOMAIN, ~_ENDED_LATELY)  # other chains count other blocks
_CAN_GO: Final = (_O.deadline_at < bindparam("before")) | (
    (_O.ended == 1) & ((_O.withdrawn == 0) | _ENDED_FOR_GOOD)
)
_JSON: Final = msgspec.json.Encoder()


def _select(*where: Any) -> Select[Any]:
    return select(SIGNED_ORDERS).where(*where)


_HEAD: Final = Statement(select(SIGNED_HEAD.c.number, SIGNED_HEAD.c.dropped, SIGNED_HEAD.c.kept))
_LOCKED_HEAD: Final = Statement(
    select(SIGNED_HEAD.c.number, SIGNED_HEAD.c.dropped, SIGNED_HEAD.c.kept).with_for_update()
)
_MOVE_HEAD: Final = Statement(
    update(SIGNED_HEAD).values({name: bindparam(name) for name in ("number", "dropped", "kept")})
)
_FIND: Final = Statement(_select(_O.digest == bindparam("digest")))
_FIND_PLACE: Final = Statement(_select(*_OF_OWNER, _O.lane == bindparam("lane"), _O.seq == bindparam("seq")))
_ON_LANE: Final = Statement(_select(*_OF_OWNER, _O.lane == bindparam("lane")))
_RESTING: Final = Statement(
    _select(*_OF_DOMAIN, _O.ended == 0, _O.withdrawn == 0, _O.deadline_at >= bindparam("at")).order_by(
        _O.entered
    )
)
_UNSETTLED: Final = Statement(
    _select(*_OF_DOMAIN, (_O.ended == 0) | (_O.base_block >= bindparam("since_block")))
)
_REFUSED: Final = Statement(
    _select(
        *_OF_DOMAIN, _O.ended == 0, _O.withdrawn == 0, _O.deadline_at >= bindparam("at"), _O.refusal != ""
    )
)
_CHANGED: Final = Statement(
    _select(*_OF_DOMAIN, _O.number > bindparam("after")).order_by(_O.number).limit(bindparam("most"))
)
_NEWEST: Final = Statement(_select(*_OF_DOMAIN).order_by(_O.number.desc()).limit(bindparam("most")))
_NEWEST_OF_OWNER: Final = Statement(_select(*_OF_OWNER).order_by(_O.number.desc()).limit(bindparam("most")))
_COUNT_OF_OWNER: Final = Statement(select(func.count()).select_from(SIGNED_ORDERS).where(*_OF_OWNER))
_DROPPABLE: Final = Statement(
    select(_O.digest, _O.number).where(_CAN_GO).order_by(_O.number).limit(bindparam("most"))
)
_DROPPABLE_OF_OWNER: Final = Statement(
    select(_O.digest, _O.number).where(*_OF_OWNER, _CAN_GO).order_by(_O.number).limit(bindparam("most"))
)
_DROP: Final = Statement(delete(SIGNED_ORDERS).where(_O.digest == bindparam("digest")))
_DROP_FILLS: Final = Statement(delete(SIGNED_FILLS).where(_F.digest == bindparam("digest")))
_INSERT: Final = Statement(insert(SIGNED_ORDERS))
_CHANGEABLE: Final = ("number", "ended", "base_block", "base_filled", "filled", "withdrawn", "refusal")
_UPDATE: Final = Statement(
    update(SIGNED_ORDERS)
    .where(_O.digest == bindparam("named"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
_FILLS: Final = Statement(
    select(SIGNED_FILLS).where(_F.digest == bindparam("digest")).order_by(_F.block_number, _F.log_index)
)
_FILLS_OF_BLOCK: Final = Statement(
    select(_F.digest).where(_F.block_hash == bindparam("block_hash")).distinct()
)
_FORGET_BLOCK: Final = Statement(delete(SIGNED_FILLS).where(_F.block_hash == bindparam("block_hash")))
_INSERT_FILL: Final = Statement(insert(SIGNED_FILLS))
_HAS_FILL: Final = Statement(
    select(_F.digest).where(_F.block_hash == bindparam("block_hash"), _F.log_index == bindparam("log_index"))
)


@dataclass(frozen=True, slots=True)
class Head:
    """The book's one row: see `SIGNED_HEAD`."""

    number: int
    dropped: int
    kept: int


@dataclass(frozen=True, slots=True)
class Over:
    """What is over for good: a deadline ``before`` that unix second, an end before ``since_block``."""

    before: int
    since_block: int


@dataclass(frozen=True, slots=True)
class Kept:
    """An order as its row has it: ``base_filled`` of it was filled as of ``base_block``, and fills of later
    blocks add to that."""

    booked: BookedOrder
    entered: int
    base_block: int
    base_filled: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Return the order of a row."""
        order, signed = _read_terms(row["terms"])
        digest = bytes.fromhex(row["digest"])
        booked = BookedOrder(
            number=row["number"],
            signed_order=OpenOrder(digest, order, signed),
            received_at=row["received_at"],
            filled=int(row["filled"]),
            withdrawn=bool(row["withdrawn"]),
            refusal=_read_refusal(digest, row["refusal"]),
        )
        return cls(booked, row["entered"], row["base_block"], int(row["base_filled"]))

    @property
    def order(self) -> SettleOrder:
        """Its terms."""
        return self.booked.signed_order.order

    def change(self, **changes: Any) -> Kept:
        """Return it with these fields changed, be they its own or the booked order's."""
        own = {field.name for field in fields(self)} & changes.keys()
        booked = replace(self.booked, **{name: changes[name] for name in changes.keys() - own})
        return replace(self, booked=booked, **{name: changes[name] for name in own})


class Rows:
    """The tables of one domain, in whatever transaction is open on the driver's connection."""

    def __init__(self, driver: Driver, domain: Domain) -> None:
        self._driver = driver
        self._domain = {"chain_id": domain.chain_id, "contract": domain.contract}

    def read_head(self, *, locked: bool = False) -> Head:
        """Return the head; ``locked`` keeps every other writer out until the transaction ends."""
        return Head(*self._driver.run(_LOCKED_HEAD if locked else _HEAD).fetchone())

    def write_head(self, head: Head) -> None:
        """Write the head."""
        self._driver.run(_MOVE_HEAD, number=head.number, dropped=head.dropped, kept=head.kept)

    def find(self, digest: bytes) -> Kept | None:
        """Return an order by its digest."""
        return next(self._ask(_FIND, digest=digest.hex()), None)

    def find_place(self, owner: Address, lane: int, seq: int) -> Kept | None:
        """Return the order that has this owner, lane and seq."""
        return next(self._ask(_FIND_PLACE, owner=owner, lane=lane, seq=seq, **self._domain), None)

    def list_lane(self, owner: Address, lane: int) -> list[Kept]:
        """Return the orders of a lane."""
        return list(self._ask(_ON_LANE, owner=owner, lane=lane, **self._domain))

    def list_resting(self, at: int) -> list[Kept]:
        """Return the orders that may be filled, the one that came first first."""
        return list(self._ask(_RESTING, at=at, **self._domain))

    def list_refused(self, at: int) -> list[Kept]:
        """Return the orders that rest although they were passed over."""
        return list(self._ask(_REFUSED, at=at, **self._domain))

    def list_unsettled(self, since_block: int) -> list[Kept]:
        """Return the orders that rest, and those whose end was seen at ``since_block`` or later."""
        return list(self._ask(_UNSETTLED, since_block=since_block, **self._domain))

    def list_changed(self, after: int, most: int) -> list[Kept]:
        """Return the orders changed after that number, in the order of their last changes."""
        return list(self._ask(_CHANGED, after=after, most=most, **self._domain))

    def list_newest(self, most: int, owner: Address | None) -> list[Kept]:
        """Return the orders that were changed last, the newest first."""
        if owner is None:
            return list(self._ask(_NEWEST, most=most, **self._domain))
        return list(self._ask(_NEWEST_OF_OWNER, most=most, owner=owner, **self._domain))

    def count(self, owner: Address) -> int:
        """Return how many orders of an owner are kept."""
        return int(self._driver.run(_COUNT_OF_OWNER, owner=owner, **self._domain).fetchone()[0])

    def list_droppable(self, over: Over, most: int, owner: Address | None = None) -> list[tuple[str, int]]:
        """Return digest and number of orders that can go, the oldest first: those that can never be taken in
        again, and those ended on chain that may rest again if a reorg takes that back: not withdrawn ones."""
        which = {"before": over.before, "since_block": over.since_block, "most": most, **self._domain}
        if owner is None:
            return [tuple(row) for row in self._driver.run(_DROPPABLE, **which)]
        return [tuple(row) for row in self._driver.run(_DROPPABLE_OF_OWNER, owner=owner, **which)]

    def drop(self, digests: Iterable[str]) -> None:
        """Delete orders with their fills."""
        with self._driver.unanswered():
            for digest in digests:
                self._driver.run(_DROP_FILLS, digest=digest)
                self._driver.run(_DROP, digest=digest)

    def insert(self, kept: Kept) -> None:
        """Write a new order."""
        booked, order = kept.booked, kept.order
        terms = order_to_json(order) | signed_to_json(booked.signed_order.signed)
        self._driver.run(
            _INSERT,
            digest=booked.signed_order.digest.hex(),
            entered=kept.entered,
            owner=order.owner,
            lane=order.lane,
            seq=order.seq,
            deadline_at=order.deadline_at,
            received_at=booked.received_at,
            terms=_JSON.encode(terms).decode(),
            **self._domain,
            **_get_changeable(kept),
        )

    def update(self, kept: Kept) -> None:
        """Write what may change of an order."""
        self._driver.run(_UPDATE, named=kept.booked.signed_order.digest.hex(), **_get_changeable(kept))

    def list_fills(self, digest: bytes) -> tuple[BookedFill, ...]:
        """Return an order's fills, in the chain's order."""
        rows = self._driver.run(_FILLS, digest=digest.hex())
        return tuple(_read_fill(dict(zip(SIGNED_FILLS.columns.keys(), row, strict=True))) for row in rows)

    def insert_fill(self, fill: BookedFill) -> bool:
        """Write a fill; return whether it is new."""
        if self._driver.run(_HAS_FILL, block_hash=fill.block_hash, log_index=fill.log_index).fetchone():
            return False
        self._driver.run(
            _INSERT_FILL,
            digest=fill.digest.hex(),
            block_hash=fill.block_hash,
            log_index=fill.log_index,
            block_number=fill.block_number,
            tx_hash=fill.tx_hash,
            amount_in=str(fill.amount_in),
            amount_out=str(fill.amount_out),
            fee=str(fill.fee),
        )
        return True

    def forget_block(self, block_hash: str) -> list[bytes]:
        """Delete a block's fills; return the digests of their orders."""
        digests = [bytes.fromhex(row[0]) for row in self._driver.run(_FILLS_OF_BLOCK, block_hash=block_hash)]
        self._driver.run(_FORGET_BLOCK, block_hash=block_hash)
        return digests

    def _ask(self, statement: Statement, **values: object) -> Iterator[Kept]:
        for row in self._driver.run(statement, **values).fetchall():
            yield Kept.from_row(dict(zip(SIGNED_ORDERS.columns.keys(), row, strict=True)))


def _get_changeable(kept: Kept) -> dict[str, object]:
    booked = kept.booked
    return {
        "number": booked.number,
        "ended": int(booked.is_over),
        "base_block": kept.base_block,
        "base_filled": str(kept.base_filled),
        "filled": str(booked.filled),
        "withdrawn": int(booked.withdrawn),
        "refusal": _write_refusal(booked.refusal),
    }


@lru_cache(maxsize=65_536)
def _read_terms(text: str) -> tuple[SettleOrder, Signed]:
    """A book is read again and again; its terms never change."""
    value = msgspec.json.decode(text)
    return order_from_json(value), signed_from_json(value)


def _write_refusal(refusal: Refusal | None) -> str:
    if refusal is None:
        return ""
    return _JSON.encode((refusal.code.value, refusal.found, refusal.needed, refusal.block_number)).decode()


def _read_refusal(digest: bytes, text: str) -> Refusal | None:
    if not text:
        return None
    code, found, needed, block_number = msgspec.json.decode(text)
    return Refusal(digest, RefusalCode(code), found, needed, block_number)


def _read_fill(row: Mapping[str, Any]) -> BookedFill:
    return BookedFill(
        digest=bytes.fromhex(row["digest"]),
        amount_in=int(row["amount_in"]),
        amount_out=int(row["amount_out"]),
        fee=int(row["fee"]),
        tx_hash=row["tx_hash"],
        block_number=row["block_number"],
        block_hash=row["block_hash"],
        log_index=row["log_index"],
    )
