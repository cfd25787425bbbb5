"""Where the lines are: one file, one writer at a time, and the book that follows it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import insert, select

from onchain_exec.oms.book.decisions import Decision
from onchain_exec.oms.book.events import Event
from onchain_exec.oms.book.fold import Book
from onchain_exec.oms.line import GENESIS, Line
from onchain_exec.oms.schema import EVENTS, journal_errors, lock_for_writing, open_engine, require_schema


class Store:
    """An append-only file of lines and its fold, kept up with what other processes append.

    ``clock`` gives the unix seconds that lines are stamped with; ``timeout_s`` bounds the wait for
    other writers.
    """

    def __init__(self, path: Path, *, timeout_s: float, clock: Callable[[], float]) -> None:
        self._path, self._clock = path, clock
        self._lock = threading.RLock()
        self._forget()
        with journal_errors(path), ExitStack() as opening:
            self._connection = opening.enter_context(open_engine(path, timeout_s).connect())
            with self._connection.begin():
                lock_for_writing(self._connection)
                require_schema(self._connection, path)
                self._catch_up()
            opening.pop_all()

    def append(self, decide: Decision, *, survives_power_loss: bool = True) -> tuple[Book, tuple[Event, ...]]:
        """Append what ``decide`` yields, in one transaction that no other writer interrupts.

        An event that is already there changes nothing. Returns the book and the events that were new.
        """
        with self._lock, journal_errors(self._path):
            new: list[Event] = []
            with self._connection.begin():
                lock_for_writing(self._connection, survives_power_loss=survives_power_loss)
                self._catch_up()
                for event in decide(self._book):
                    if event.event_id not in self._event_ids:
                        self._insert(event)
                        new.append(event)
            self._ahead = False
            return self._book, tuple(new)

    def read(self) -> Book:
        """Return the book with everything that is in the file now. It is the store's: do not write."""
        with self._lock, journal_errors(self._path), self._connection.begin():
            self._catch_up()
            return self._book

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            self._connection.close()

    def _insert(self, event: Event) -> None:
        self._ahead = True
        line = Line.after(self._seq, self._hash, event, int(self._clock()))
        self._take(line)
        self._connection.execute(insert(EVENTS), line.to_row())

    def _catch_up(self) -> None:
        if self._ahead:  # a transaction failed after the book had taken its events
            self._forget()
        rows = self._connection.execute(select(EVENTS).where(EVENTS.c.seq > self._seq).order_by(EVENTS.c.seq))
        for row in rows.mappings():
            self._take(Line.from_row(dict(row), self._seq, self._hash))

    def _take(self, line: Line) -> None:
        self._book.apply(line.event, line.recorded_at)
        self._seq, self._hash = line.seq, line.hash
        self._event_ids.add(line.event.event_id)

    def _forget(self) -> None:
        self._book, self._event_ids = Book(), set[str]()
        self._seq, self._hash, self._ahead = 0, GENESIS, False
