"""The book as it was at one line, kept in the database: a start reads it, and the lines after it only.

It is a copy, added to as the lines grow: each addition holds what changed since the one before. The lines
remain the truth, and `Store.verify` compares the two.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

import msgspec
from sqlalchemy import Connection, delete, insert, select

from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.snapshot import Part, decode, encode, get_format, join
from onchain_exec.oms.storage import Driver
from onchain_exec.oms.storage.driver import Statement
from onchain_exec.oms.storage.schema import CHECKPOINT
from onchain_exec.oms.tape import End, Tape

log = logging.getLogger(__name__)

_PARTS: Final = Statement(select(CHECKPOINT).order_by(CHECKPOINT.c.part))
_LAST: Final = Statement(select(CHECKPOINT).order_by(CHECKPOINT.c.part.desc()).limit(1))
_CLEAR: Final = Statement(delete(CHECKPOINT))
_INSERT: Final = Statement(insert(CHECKPOINT))
_FASTEST: Final = 1
"""zlib's level: the next ones take twice the time for a tenth of the size."""


class Row(NamedTuple):
    """A part in its table. ``seq`` and ``hash`` are of the line that its addition ends with, ``digest`` is
    over it and all parts before it."""

    part: int
    seq: int
    hash: str
    format: str
    digest: str
    body: bytes

    @classmethod
    def after(cls, before: Row | None, end: End, body: bytes) -> Self:
        """Return the row that follows ``before`` (None: it is the first)."""
        digest = hashlib.sha256(f"{before and before.digest}/{end.seq}/{end.hash}".encode() + body)
        number = before.part + 1 if before else 0
        return cls(number, end.seq, end.hash, get_format(), digest.hexdigest(), body)

    @property
    def end(self) -> End:
        """The line that its addition ends with."""
        return End(self.seq, self.hash)


class Checkpoint:
    """The one checkpoint of the tape's lines; call within a transaction. ``written`` is how many orders,
    slots and parents `read` found, each as often as it was written."""

    def __init__(self, connection: Connection, tape: Tape) -> None:
        self._driver, self._tape = Driver(connection), tape
        self.written, self._refused = 0, ""

    def read(self) -> tuple[Book, End]:
        """Return the book and the line that it ends with; an empty one, with a line in the log, if the
        checkpoint is damaged, of another release, or of other lines than the tape's."""
        rows = [Row(*row) for row in self._driver.run(_PARTS)]
        if not rows:
            return Book(), End()
        last = rows[-1]
        if last.format != get_format():
            return self._ignore(last, "another release made it")
        if not self._tape.has_end(last.end):
            return self._ignore(last, "that line is not the journal's")
        try:
            return join(self._unpack(rows)), last.end
        except (ValueError, zlib.error, msgspec.MsgspecError) as error:
            return self._ignore(last, f"it is damaged: {error}")

    def find_end(self) -> End:
        """Return the line that it ends with; the beginning if `read` ignored it, or would."""
        last = self._find_last()
        return last.end if last else End()

    def write(self, bodies: Iterable[bytes], since: End, end: End) -> bool:
        """Add packed parts to a checkpoint that ends with ``since``, or put them in its place if that is the
        beginning. Return False, and do nothing, if it ends elsewhere by now."""
        before = self._find_last()
        if since == End():
            self.clear()
            before = None
        elif before is None or before.end != since:
            return False
        for body in bodies:
            before = Row.after(before, end, body)
            self._driver.run(_INSERT, **before._asdict())
        return True

    def clear(self) -> None:
        """Forget it: the next start reads every line."""
        self._driver.run(_CLEAR)

    def _find_last(self) -> Row | None:
        found = self._driver.run(_LAST).fetchone()
        last = Row(*found) if found else None
        if last is None or last.digest == self._refused or last.format != get_format():
            return None
        return last if self._tape.has_end(last.end) else None

    def _unpack(self, rows: Iterable[Row]) -> Iterator[Part]:
        """Yield the parts if they are what was written."""
        before = None
        for row in rows:
            if row != Row.after(before, row.end, row.body):
                raise ValueError("its parts are not what was written")
            part = decode(zlib.decompress(row.body))
            self.written += len(part.orders) + len(part.slots) + len(part.parents)
            yield part
            before = row

    def _ignore(self, last: Row, why: str) -> tuple[Book, End]:
        log.warning("checkpoint at line %s ignored, every line is read: %s", last.seq, why)
        self._refused = last.digest
        return Book(), End()


def pack(part: Part) -> bytes:
    """Return a part of a book as `Checkpoint.write` takes it."""
    return zlib.compress(encode(part), _FASTEST)
