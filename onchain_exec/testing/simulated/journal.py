"""A journal whose lines outlive its processes, in memory: for thousands of restarts a second."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar, cast

from onchain_exec.core import Address
from onchain_exec.errors import OnchainExecError
from onchain_exec.oms import Journal, SlotKey, SlotView
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.fold import apply, fold
from onchain_exec.oms.store import Deciding, Request, Store, then
from onchain_exec.testing.simulated.fate import Fate

T = TypeVar("T")


class MemoryJournal:
    """The lines, as text; `open` gives a `Journal` over them to one process at a time.

    A commit is atomic, and a crash strikes before it or after it. ``now`` gives unix seconds.
    """

    def __init__(self, fate: Fate, now: Callable[[], float], confirmed_depth: int = 12) -> None:
        self._fate, self._now, self._confirmed_depth = fate, now, confirmed_depth
        self._lines: list[str] = []
        self._sessions = 0

    @property
    def texts(self) -> tuple[str, ...]:
        """The lines as they were written."""
        return tuple(self._lines)

    def open(self) -> Journal:
        """Return the journal as a new process finds it: replayed from its lines."""
        self._sessions += 1
        store = _MemoryStore(self._lines, self._fate, self._now, f"session-{self._sessions}")
        return Journal(cast("Store", store), self._confirmed_depth)

    def replay(self) -> Book:
        """Return the book of all lines."""
        return fold(map(_parse, self._lines))


class _MemoryStore:
    """What `Journal` asks of its store, over a list. It is its own lease: one process, one session."""

    def __init__(self, lines: list[str], fate: Fate, now: Callable[[], float], session: str) -> None:
        self._lines, self._fate, self._now, self._session = lines, fate, now, session
        events = [_parse(line) for line in lines]
        self._book = fold(events)
        self._book.undo.keep()
        self._ids = {event.event_id for event, _ in events}
        self.leases = self

    def append(self, decide: Deciding[T], *, survives_power_loss: bool = True) -> tuple[T, tuple[Event, ...]]:
        self._fate.pass_step()
        new: list[Event] = []
        request = Request(decide, survives_power_loss)
        recorded_at = int(self._now())
        try:
            for event in request.run(self._book):
                if event.event_id not in self._ids:
                    apply(self._book, event, recorded_at)
                    self._ids.add(event.event_id)
                    new.append(event)
        except OnchainExecError:
            self._book.undo.go_back()
            self._ids.difference_update(event.event_id for event in new)
            raise
        self._book.undo.keep()
        self._lines += [_write(event, recorded_at) for event in new]
        self._fate.pass_step()
        return request.found, tuple(new)

    def append_new(self, decide: Callable[[Book], Iterator[Event]]) -> tuple[Event, ...]:
        return self.append(then(decide, lambda _: None))[1]

    def ask(self, question: Callable[[Book], T]) -> T:
        return question(self._book)

    def tail(self, idle_s: float) -> Generator[Event | None]:
        yield from ()

    def close(self) -> None:
        """Nothing to release."""

    def take(self, chain_id: int, account: Address) -> str:
        return self._session

    def is_live(self, slot: SlotView) -> bool:
        return slot.session == self._session


def _write(event: Event, recorded_at: int) -> str:
    slot = str(event.slot) if event.slot else ""
    return json.dumps([event.event_id, event.kind.value, event.order_id, slot, event.payload, recorded_at])


def _parse(line: str) -> tuple[Event, int]:
    event_id, kind, order_id, slot, payload, recorded_at = json.loads(line)
    key = SlotKey.parse(slot) if slot else None
    return Event(event_id, EventKind(kind), order_id, key, payload), recorded_at
