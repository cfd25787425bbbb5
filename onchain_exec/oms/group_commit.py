"""Threads that want to write at the same time share one transaction, and so one flush to disk.

One of them leads: it commits what waits, its own among it, and then the first of those that came
meanwhile leads. So nobody waits longer than for the transaction that runs and the one after it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Job = TypeVar("Job")


class _Place(Generic[Job]):
    """A job in the queue. ``turn`` is free once the job is done, or is to lead."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.leads = self.done = self.failed = False
        self.turn = threading.Lock()
        self.turn.acquire()


class GroupCommit(Generic[Job]):
    """Calls ``commit`` with the jobs that wait: one call at a time, each job in one call that succeeds.

    A call that raises did nothing: the error is its leader's, and the others try again, each alone.
    """

    def __init__(self, commit: Callable[[list[Job]], None]) -> None:
        self._commit = commit
        self._lock = threading.Lock()
        self._waiting: deque[_Place[Job]] = deque()
        self._is_led = self._had_company = False

    def run(self, job: Job) -> None:
        """Return when the job is committed; raise what ``commit`` raised when this thread led."""
        own = _Place(job)
        try:
            with self._lock:
                self._waiting.append(own)
                own.leads, self._is_led = not self._is_led, True
            if not own.leads:
                own.turn.acquire()
            if not own.done:
                self._lead(own)
        finally:  # after an interrupt, too: others wait for this thread
            self._leave(own)

    def _lead(self, own: _Place[Job]) -> None:
        if self._had_company:
            # those just let go ask again: else it leads alone, and they wait for a flush more
            time.sleep(0)
        batch = self._take(own)
        try:
            self._commit([place.job for place in batch])
            for place in batch:
                place.done = True
        finally:
            self._put_back([place for place in batch if not (place.done or place is own)])
        for place in batch:
            place.turn.release()

    def _take(self, own: _Place[Job]) -> list[_Place[Job]]:
        """Take what waits off the queue; who failed in company goes alone."""
        with self._lock:
            batch = [own] if own.failed else [place for place in self._waiting if not place.failed]
            for place in batch:
                self._waiting.remove(place)
        self._had_company = len(batch) > 1
        return batch

    def _put_back(self, batch: list[_Place[Job]]) -> None:
        with self._lock:
            for place in reversed(batch):
                place.failed = True
                self._waiting.appendleft(place)

    def _leave(self, own: _Place[Job]) -> None:
        with self._lock:
            if own in self._waiting:
                self._waiting.remove(own)
            if own.leads and self._waiting:
                first = self._waiting[0]
                first.leads = True
                first.turn.release()
            elif own.leads:
                self._is_led = False
