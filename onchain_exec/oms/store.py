"""Where the lines are: one database, one writer at a time, and the book that follows it."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from onchain_exec.errors import JournalError, OnchainExecError
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event
from onchain_exec.oms.book.fold import apply
from onchain_exec.oms.book.snapshot import count, encode, forget_changes, split, split_changes
from onchain_exec.oms.checkpoint import Checkpoint, pack
from onchain_exec.oms.group_commit import GroupCommit
from onchain_exec.oms.line import Line
from onchain_exec.oms.storage import Database
from onchain_exec.oms.storage.check import require_schema
from onchain_exec.oms.storage.database import Bell, journal_errors
from onchain_exec.oms.tape import End, Tape

log = logging.getLogger(__name__)

T = TypeVar("T")

CHECKPOINT_LINES: Final = 1_000
"""Lines that a start reads in 40 ms. What they change is put away in 5 ms, of which nobody waits for more
than 2 at a time."""

SAVER: Final = "journal checkpoint"
"""The name of the thread that adds to it."""

_LOOSE: Final = 3
"""A checkpoint that holds everything so many times, as it was once and later, is written anew."""


Deciding = Callable[[Book], Generator[Event, None, T]]
"""Yields what to append, each event applied to the book before the next is asked for, and returns what it
found."""


@dataclass(slots=True, eq=False)
class Request(Generic[T]):
    """A decision that waits for a transaction, and what came of it: what it ``found``, and the events that
    were ``new``."""

    decide: Deciding[T]
    survives_power_loss: bool
    found: T = field(init=False)
    new: list[Event] = field(default_factory=list)
    error: OnchainExecError | None = None

    def run(self, book: Book) -> Iterator[Event]:
        """Yield the decision's events, and keep what it found."""
        self.found = yield from self.decide(book)


class Store:
    """An append-only list of lines and its fold, kept up with what other processes append.

    Threads that append at the same time share a transaction, and so a flush to disk. ``clock`` gives
    the unix seconds that lines are stamped with. After every ``checkpoint_lines`` a thread adds to the
    checkpoint, while others go on.
    """

    def __init__(
        self, database: Database, clock: Callable[[], float], checkpoint_lines: int = CHECKPOINT_LINES
    ) -> None:
        self._database, self._clock, self._checkpoint_lines = database, clock, checkpoint_lines
        self._lock = threading.RLock()
        self._group = GroupCommit(self._commit)
        with journal_errors(database.where), ExitStack() as opening:
            self._connection = opening.enter_context(database.connect())
            with self._connection.begin():
                database.lock_for_opening(self._connection)
                require_schema(self._connection, database.where)
            self._tape = Tape(database, self._connection)
            self._checkpoint = Checkpoint(self._connection, self._tape)
            with self._connection.begin(), _collector_paused():
                self._book, self._end = self._checkpoint.read()
                self._saved, self._due = self._end, self._end.seq + checkpoint_lines
                self._catch_up(self._tape.read_head())
            self._saver: threading.Thread | None = None
            is_loose = self._checkpoint.written > _LOOSE * count(self._book)
            if is_loose or self._is_due():
                self._save(anew=is_loose)
            self.leases = database.open_leases(self._connection)
            opening.pop_all()

    def append(self, decide: Deciding[T], *, survives_power_loss: bool = True) -> tuple[T, tuple[Event, ...]]:
        """Append what ``decide`` yields, in one transaction that no other writer interrupts.

        An event that is already there changes nothing. Returns what ``decide`` found, and the events that
        were new.
        """
        request = Request(decide, survives_power_loss)
        self._group.run(request)
        if request.error:
            raise request.error
        return request.found, tuple(request.new)

    def append_new(self, decide: Callable[[Book], Iterator[Event]]) -> tuple[Event, ...]:
        """Append what ``decide`` yields, as `append` does; return the events that were new."""
        return self.append(then(decide, lambda _: None))[1]

    def ask(self, question: Callable[[Book], T]) -> T:
        """Return what ``question`` finds in the book, with everything that is written now, and with the
        leases. Nobody writes while it looks; it keeps nothing of the book but its immutable values."""
        with self._lock, journal_errors(self._database.where), self._connection.begin():
            self._catch_up(self._tape.read_head())
            return question(self._book)

    def tail(self, idle_s: float) -> Generator[Event | None]:
        """Yield what anyone appends from now on, and None whenever nothing came for ``idle_s``."""
        with journal_errors(self._database.where):
            bell = self._database.open_bell()
        self.ask(lambda _: None)
        return _tail(self._database, bell, idle_s, self._end)

    def verify(self) -> int:
        """Read every line from the first, and compare what they give with the book; return how many they are.

        Raises:
            JournalError: a line was changed, or the checkpoint is not what its lines give.
        """
        with self._lock, journal_errors(self._database.where), self._connection.begin(), _collector_paused():
            self._catch_up(self._tape.read_head())
            book = Book()
            for line in self._tape.read_between(End(), self._end):
                apply(book, line.event, line.recorded_at)
            if list(map(encode, split(book))) == list(map(encode, split(self._book))):
                return self._end.seq
            self._checkpoint.clear()
            self._due = sys.maxsize  # this book is never put away again
        raise JournalError(
            f"the checkpoint at line {self._saved.seq} is not what the lines give",
            needed="the same book from either",
            todo="Open the journal again: the checkpoint is gone, every line will be read",
        )

    def close(self) -> None:
        """Give up the leases and release the database."""
        if self._saver:
            self._saver.join()
        if self._is_due():
            self._save()
        with self._lock, journal_errors(self._database.where):
            self.leases.close()
            self._connection.close()

    def _commit(self, batch: list[Request[Any]]) -> None:
        """Decide and write everything in one transaction, or nothing."""
        survives_power_loss = any(request.survives_power_loss for request in batch)
        with self._lock, journal_errors(self._database.where):
            try:
                with self._connection.begin():
                    self._catch_up(self._tape.lock(survives_power_loss=survives_power_loss))
                    lines: list[Line] = []
                    for request in batch:
                        lines += self._decide(request, {line.event.event_id for line in lines})
                    self._tape.write(lines)
                self._book.undo.keep()
            finally:
                self._book.undo.go_back()  # of nothing, where it was kept
            self._save_behind()

    def _decide(self, request: Request[Any], unwritten: set[str]) -> list[Line]:
        """Return the lines of one decision, taken into the book; none if it fails. ``unwritten`` are events
        that others decided in the same transaction."""
        lines: list[Line] = []
        request.new, request.error = [], None
        mark = self._book.undo.get_mark()
        self._book.undo.add(setattr, self, "_end", self._end)
        try:
            for event in request.run(self._book):
                if event.event_id not in unwritten and not self._tape.has(event.event_id):
                    lines.append(Line.after(*self._end, event, int(self._clock())))
                    self._take(lines[-1])
                    request.new.append(event)
                    unwritten.add(event.event_id)
        except OnchainExecError as error:
            self._book.undo.go_back(mark)
            request.error = error
            return []
        return lines

    def _catch_up(self, head: End) -> None:
        """Take what others wrote; it stands, whatever becomes of this transaction."""
        self._book.undo.add(setattr, self, "_end", self._end)
        for line in self._tape.read_between(self._end, head):
            self._take(line)
        self._book.undo.keep()

    def _take(self, line: Line) -> None:
        self._book.undo.line = line.seq
        apply(self._book, line.event, line.recorded_at)
        self._end = End(line.seq, line.hash)

    def _is_due(self) -> bool:
        return self._end.seq >= self._due

    def _save_behind(self) -> None:
        """Let a thread save, unless one does."""
        if self._is_due() and not (self._saver and self._saver.is_alive()):
            self._saver = threading.Thread(target=self._save, name=SAVER)
            self._saver.start()

    def _save(self, *, anew: bool = False) -> None:
        """Add to the checkpoint what changed since, or write all of it ``anew``. It is a copy: whatever keeps
        it from being written keeps nothing else."""
        try:
            with self._lock, self._connection.begin():
                found, end = self._checkpoint.find_end(), self._end
                self._due = max(found.seq, end.seq) + self._checkpoint_lines
                anew = anew or found.seq < self._saved.seq
                self._forget(found)
                parts = list((split if anew else split_changes)(self._book))
            if found.seq >= end.seq and not anew:  # another process was faster
                return
            bodies = [pack(part) for part in parts]
            with self._lock, self._connection.begin():
                self._tape.lock(survives_power_loss=False)
                if self._checkpoint.write(bodies, End() if anew else found, end):
                    self._forget(end)
        except SQLAlchemyError as error:
            log.warning("no checkpoint at line %s: %s", self._end.seq, error)

    def _forget(self, saved: End) -> None:
        """Forget changes that a checkpoint at that line holds."""
        if saved.seq >= self._saved.seq:
            forget_changes(self._book, saved.seq)
            self._saved = saved


def then(decide: Callable[[Book], Iterator[Event]], find: Callable[[Book], T]) -> Deciding[T]:
    """Return the decision that yields the same, and finds what ``find`` returns right after it: what others
    append meanwhile, and may yet take back, is not seen."""

    def deciding(book: Book) -> Generator[Event, None, T]:
        yield from decide(book)
        return find(book)

    return deciding


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking through a growing book, again and again, for nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _tail(database: Database, bell: Bell, idle_s: float, end: End) -> Generator[Event | None]:
    """Yield events as they are committed; the bell was there before the first of them was."""
    with journal_errors(database.where), closing(bell), database.connect() as connection:
        tape = Tape(database, connection)
        idle_at = time.monotonic() + idle_s
        while True:
            with connection.begin():
                lines = list(tape.read_between(end, tape.read_head()))
            for line in lines:
                end = End(line.seq, line.hash)
                yield line.event
            left_s = idle_at - time.monotonic()
            if not lines and left_s > 0:
                bell.wait(left_s)
                continue
            if not lines:
                yield None
            idle_at = time.monotonic() + idle_s
