"""The book of signed orders of one Settle contract, durable, shared by the processes of its database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from onchain_exec.clearing.settle import Domain, Lane
from onchain_exec.clearing.settle.order_book import BookedFill, OpenOrder, Refusal
from onchain_exec.core import Address
from onchain_exec.errors import OnchainExecError
from onchain_exec.oms.group_commit import GroupCommit
from onchain_exec.oms.signed_book.rows import Rows
from onchain_exec.oms.signed_book.view import BookedOrder
from onchain_exec.oms.signed_book.writing import USUAL_LIMITS, BookLimits, Writing
from onchain_exec.oms.storage import Database, Driver, open_database
from onchain_exec.oms.storage.check import require_schema
from onchain_exec.oms.storage.database import Bell, journal_errors

T = TypeVar("T")

_READ_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Changes:
    """Every order changed after change ``after``, in the order of their last changes, up to ``number``;
    ``is_complete`` is False where orders were dropped in between: read the whole book."""

    after: int
    number: int
    orders: tuple[BookedOrder, ...]
    is_complete: bool


@dataclass(slots=True, eq=False)
class _Work:
    """What waits for a transaction, and what came of it."""

    do: Callable[[Writing], Any]
    result: Any = None
    error: OnchainExecError | None = None


class SignedBook:
    """An `OrderBook` in the journal's database. Every change survives power loss when the call returns;
    threads that write at the same time share a transaction.

    What is filled follows from the lane as it was last read and from the fills of later blocks, so that
    nothing counts twice, whoever records it and however often.
    """

    def __init__(
        self,
        database: Database,
        domain: Domain,
        limits: BookLimits = USUAL_LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._domain, self._limits, self._clock = database, domain, limits, clock
        self._lock = threading.Lock()
        self._group: GroupCommit[_Work] = GroupCommit(self._commit)
        with journal_errors(database.where), ExitStack() as opening:
            self._connection = opening.enter_context(database.connect())
            with self._connection.begin():
                database.lock_for_opening(self._connection)
                require_schema(self._connection, database.where)
            self._driver = Driver(self._connection)
            opening.pop_all()

    @classmethod
    def open(
        cls, where: str | Path, domain: Domain, limits: BookLimits = USUAL_LIMITS, *, timeout_s: float = 5.0
    ) -> Self:
        """Open the book beside the journal at a path or a ``postgresql+psycopg://`` URL.

        Raises:
            JournalError: as for `Journal.open`.
        """
        return cls(open_database(where, timeout_s, lease_s=0), domain, limits)

    @property
    def domain(self) -> Domain:
        """The contract and chain that all of its orders are signed for."""
        return self._domain

    def close(self) -> None:
        """Release the database."""
        with self._lock, journal_errors(self._database.where):
            self._connection.close()

    def add(self, signed_order: OpenOrder, lane: Lane, block_number: int) -> tuple[BookedOrder, bool]:
        """Take in an order that was verified at a block, where its lane stood so; return it, and whether it
        is new: the same order again is the same order, in whatever state it is.

        Raises:
            OrderRefusedError: another order has its place on the lane, or there is no room.
        """
        return self._write(lambda writing: writing.add(signed_order, lane, block_number))

    def withdraw(self, digest: bytes) -> BookedOrder:
        """Show an order to nobody any more; return it. Its owner is to have asked for it.

        Raises:
            UnknownOrderError: the book does not have it.
        """
        return self._write(lambda writing: writing.withdraw(digest))

    def record_fills(self, fills: Sequence[BookedFill]) -> None:
        """Record fills that were mined, each once, whoever settled them; of unknown orders, nothing."""
        self._write(lambda writing: writing.record_fills(fills))

    def drop_fills(self, block_hash: str) -> None:
        """Forget the fills of a block that has left the chain."""
        self._write(lambda writing: writing.drop_fills(block_hash))

    def record_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Record why orders were passed over; those refused for ever are open no more."""
        self._write(lambda writing: writing.record_refusals(refusals))

    def record_lanes(self, lanes: Mapping[tuple[Address, int], Lane], block_number: int) -> None:
        """Record how lanes stand at a block: what is filled of their orders, which of them have passed, and
        which rest again because the block that said otherwise has left the chain."""
        self._write(lambda writing: writing.record_lanes(lanes, block_number))

    def lift_refusals(self, digests: Sequence[bytes]) -> None:
        """Record that what stood in these orders' way has passed."""
        self._write(lambda writing: writing.lift_refusals(digests))

    def find(self, digest: bytes) -> BookedOrder | None:
        """Return an order, or None if the book does not have it."""
        kept = self._read(lambda rows: rows.find(digest))
        return None if kept is None else kept.booked

    def find_on_lane(self, owner: Address, lane: int, seq: int) -> BookedOrder | None:
        """Return the order that has this place, or None."""
        kept = self._read(lambda rows: rows.find_place(owner, lane, seq))
        return None if kept is None else kept.booked

    def list_open(self, at: int) -> tuple[OpenOrder, ...]:
        """Return the orders that may be filled at unix second ``at``, the one that came first first."""
        return tuple(kept.booked.signed_order for kept in self._read(lambda rows: rows.list_resting(at)))

    def list_refused(self, at: int) -> tuple[BookedOrder, ...]:
        """Return the orders that may be filled at unix second ``at``, and were passed over lately."""
        return tuple(kept.booked for kept in self._read(lambda rows: rows.list_refused(at)))

    def list_newest(self, most: int, owner: Address | None = None) -> tuple[BookedOrder, ...]:
        """Return the orders that changed last, the newest first."""
        return tuple(kept.booked for kept in self._read(lambda rows: rows.list_newest(most, owner)))

    def list_fills(self, digest: bytes) -> tuple[BookedFill, ...]:
        """Return what was filled of an order, in the chain's order."""
        return self._read(lambda rows: rows.list_fills(digest))

    def list_lanes(self, since_block: int) -> frozenset[tuple[Address, int]]:
        """Return the lanes of orders that rest, or whose end was seen at ``since_block`` or later."""
        kept = self._read(lambda rows: rows.list_unsettled(since_block))
        return frozenset((found.order.owner, found.order.lane) for found in kept)

    def read_snapshot(self, at: int) -> tuple[int, tuple[BookedOrder, ...]]:
        """Return the number of the last change and the orders that rest after it."""

        def look(rows: Rows) -> tuple[int, tuple[BookedOrder, ...]]:
            number = rows.read_head().number
            return number, tuple(kept.booked for kept in rows.list_resting(at))

        return self._read(look)

    def read_changes(self, after: int) -> Changes:
        """Return what changed after a number, or the first part of it."""
        return self._read(lambda rows: _find_changes(rows, after))

    def tail(self, idle_s: float) -> Generator[Changes | None]:
        """Yield what changes from now on, and None whenever nothing did for ``idle_s``."""
        with journal_errors(self._database.where):
            bell = self._database.open_bell()
        return self._tail(bell, self._read(lambda rows: rows.read_head()).number, idle_s)

    def _tail(self, bell: Bell, after: int, idle_s: float) -> Generator[Changes | None]:
        with journal_errors(self._database.where), closing(bell), self._database.connect() as connection:
            rows = Rows(Driver(connection), self._domain)
            idle_at = time.monotonic() + idle_s
            while True:
                with connection.begin():
                    changes = _find_changes(rows, after)
                after = changes.number
                if changes.orders:
                    yield changes
                elif (left_s := idle_at - time.monotonic()) > 0:
                    bell.wait(left_s)
                    continue
                else:
                    yield None
                idle_at = time.monotonic() + idle_s

    def _read(self, look: Callable[[Rows], T]) -> T:
        with self._lock, journal_errors(self._database.where), self._connection.begin():
            return look(Rows(self._driver, self._domain))

    def _write(self, do: Callable[[Writing], T]) -> T:
        work = _Work(do)
        self._group.run(work)
        if work.error:
            raise work.error
        result: T = work.result
        return result

    def _commit(self, batch: list[_Work]) -> None:
        with self._lock, journal_errors(self._database.where), self._connection.begin():
            self._database.begin_writing(self._driver, survives_power_loss=True)
            rows = Rows(self._driver, self._domain)
            writing = Writing(rows, rows.read_head(locked=True), self._limits, int(self._clock()))
            for work in batch:
                work.result = work.error = None
                try:
                    work.result = work.do(writing)
                except OnchainExecError as error:
                    work.error = error
            if writing.head != writing.found:
                rows.write_head(writing.head)
                self._database.announce(self._driver, writing.head.number)


def _find_changes(rows: Rows, after: int) -> Changes:
    head, kept = rows.read_head(), rows.list_changed(after, _READ_AT_ONCE)
    orders = tuple(found.booked for found in kept)
    number = orders[-1].number if len(orders) == _READ_AT_ONCE else head.number
    return Changes(after, number, orders, is_complete=head.dropped <= after <= head.number)
