"""The journal's lines in their table, and its head: what is read and written in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from onchain_exec.errors import JournalError
from onchain_exec.oms.line import GENESIS, Line
from onchain_exec.oms.storage import Database, Driver
from onchain_exec.oms.storage.driver import Statement
from onchain_exec.oms.storage.schema import EVENTS, HEAD

_COLUMNS: Final = tuple(column.name for column in EVENTS.columns)
_AT_ONCE: Final = 10_000  # a driver may hold all rows of an answer in memory

_HEAD: Final = Statement(select(HEAD.c.seq, HEAD.c.hash))
_LOCKED_HEAD: Final = Statement(select(HEAD.c.seq, HEAD.c.hash).with_for_update())
_MOVE: Final = Statement(update(HEAD).values(seq=bindparam("seq"), hash=bindparam("hash")))
_INSERT: Final = Statement(insert(EVENTS))
_HAS: Final = Statement(select(EVENTS.c.seq).where(EVENTS.c.event_id == bindparam("event_id")))
_HASH: Final = Statement(select(EVENTS.c.hash).where(EVENTS.c.seq == bindparam("seq")))
_AFTER: Final = Statement(
    select(EVENTS)
    .where(EVENTS.c.seq > bindparam("after"), EVENTS.c.seq <= bindparam("last"))
    .order_by(EVENTS.c.seq)
)


class End(NamedTuple):
    """The number and hash of a last line."""

    seq: int = 0
    hash: str = GENESIS


class Tape:
    """The lines, on one connection."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database, self._driver = database, Driver(connection)

    def lock(self, *, survives_power_loss: bool) -> End:
        """Begin to write: from here to the end of the transaction nobody else does. Return the last line."""
        self._database.begin_writing(self._driver, survives_power_loss=survives_power_loss)
        return End(*self._driver.run(_LOCKED_HEAD).fetchone())

    def read_head(self) -> End:
        """Return the last line."""
        return End(*self._driver.run(_HEAD).fetchone())

    def read_between(self, end: End, head: End) -> Iterator[Line]:
        """Yield the lines that follow ``end``, up to ``head``.

        Raises:
            JournalError: they do not follow one another up to the head: lines were changed or cut.
        """
        while end.seq < head.seq:
            before = end
            for row in self._driver.run(_AFTER, after=end.seq, last=min(end.seq + _AT_ONCE, head.seq)):
                line = Line.from_row(tuple(row), *end)
                end = End(line.seq, line.hash)
                yield line
            if end == before:
                break
        if head != end:
            raise JournalError(
                f"the journal ends with line {end.seq}, and its head is line {head.seq}: lines were cut",
                needed="every line up to the head",
                todo="Restore the journal from a copy and reconcile; do not trade on this one",
            )

    def has(self, event_id: str) -> bool:
        """Return whether a line has this event."""
        return self._driver.run(_HAS, event_id=event_id).fetchone() is not None

    def has_end(self, end: End) -> bool:
        """Return whether that line has that hash."""
        found = self._driver.run(_HASH, seq=end.seq).fetchone()
        return found is not None and found[0] == end.hash

    def write(self, lines: list[Line]) -> None:
        """Add lines, and wake whoever follows when the transaction is committed."""
        if lines:
            with self._driver.unanswered():
                for line in lines:
                    self._driver.run(_INSERT, **dict(zip(_COLUMNS, line.row, strict=True)))
                self._driver.run(_MOVE, seq=lines[-1].seq, hash=lines[-1].hash)
                self._database.announce(self._driver, lines[-1].seq)
