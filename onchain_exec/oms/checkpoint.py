"""The book as it was at one line, kept in the database: a start reads it, and the lines after it only.

It is a copy. The lines remain the truth, and `Store.verify` compares the two.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, insert, select

from onchain_exec.oms.book.fold import Book
from onchain_exec.oms.book.snapshot import get_format, join, split
from onchain_exec.oms.storage import Driver
from onchain_exec.oms.storage.driver import Statement
from onchain_exec.oms.storage.schema import CHECKPOINT
from onchain_exec.oms.tape import End, Tape

log = logging.getLogger(__name__)

_PARTS: Final = Statement(select(CHECKPOINT).order_by(CHECKPOINT.c.part))
_CLEAR: Final = Statement(delete(CHECKPOINT))
_INSERT: Final = Statement(insert(CHECKPOINT))
_FASTEST: Final = 1
"""zlib's level: the next ones take twice the time for a tenth of the size."""


class Checkpoint:
    """The one checkpoint of the tape's lines; call within a transaction."""

    def __init__(self, connection: Connection, tape: Tape) -> None:
        self._driver, self._tape = Driver(connection), tape

    def read(self) -> tuple[Book, End]:
        """Return the book and the line that it ends with; an empty one, with a line in the log, if the
        checkpoint is damaged, of another release, or of other lines than the tape's."""
        rows = self._driver.run(_PARTS)
        first = rows.fetchone()
        if first is None:
            return Book(), End()
        _, seq, line_hash, made_as, *_ = first
        end = End(seq, line_hash)
        if made_as != get_format():
            return _ignore(end, "another release made it")
        if not self._tape.has_end(end):
            return _ignore(end, "that line is not the journal's")
        try:
            return join(_unpack(end, [first, *rows])), end
        except (ValueError, zlib.error, msgspec.MsgspecError) as error:
            return _ignore(end, f"it is damaged: {error}")

    def write(self, parts: list[bytes], end: End) -> None:
        """Put a packed book in the place of an earlier one, or of one that `read` would ignore."""
        if not self._has_later(end):
            self.clear()
            digests = _chain(end, parts)
            for number, (body, digest) in enumerate(zip(parts, digests, strict=True), start=1):
                self._driver.run(
                    _INSERT,
                    part=number - len(parts),
                    seq=end.seq,
                    hash=end.hash,
                    format=get_format(),
                    digest=digest,
                    body=body,
                )

    def _has_later(self, end: End) -> bool:
        first = self._driver.run(_PARTS).fetchone()
        if first is None:
            return False
        _, seq, line_hash, made_as, *_ = first
        return seq > end.seq and made_as == get_format() and self._tape.has_end(End(seq, line_hash))

    def clear(self) -> None:
        """Forget it: the next start reads every line."""
        self._driver.run(_CLEAR)


def pack(book: Book) -> list[bytes]:
    """Return the book as `Checkpoint.write` takes it."""
    return [zlib.compress(part, _FASTEST) for part in split(book)]


def _unpack(end: End, rows: list[tuple[int, int, str, str, str, bytes]]) -> Iterator[bytes]:
    """Yield the parts if they are what was written, and all of it: the last is number 0."""
    bodies = [bytes(body) for *_, body in rows]
    written = [(number, digest) for number, *_, digest, _ in rows]
    numbers = range(1 - len(rows), 1)
    if written != list(zip(numbers, _chain(end, bodies), strict=True)):
        raise ValueError("its parts are not what was written")
    yield from map(zlib.decompress, bodies)


def _chain(end: End, bodies: list[bytes]) -> list[str]:
    """Return a digest for each part, over all before it too."""
    running = hashlib.sha256(f"{end.seq}/{end.hash}".encode())
    digests = []
    for body in bodies:
        running.update(body)
        digests.append(running.hexdigest())
    return digests


def _ignore(end: End, why: str) -> tuple[Book, End]:
    log.warning("checkpoint at line %s ignored, every line is read: %s", end.seq, why)
    return Book(), End()
