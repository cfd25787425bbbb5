"""One thread follows for all listeners; one that is too slow, or a source that fails, cuts them off."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Generator

import pytest

from onchain_exec.errors import JournalError
from onchain_exec.server import stream
from onchain_exec.server.stream import Feed


class Source:
    """Yields what it is told to, to as many tails as are open."""

    def __init__(self) -> None:
        self.tails = 0
        self.news: list[int | JournalError] = []
        self.changed = threading.Condition()

    def say(self, *news: int | JournalError) -> None:
        with self.changed:
            self.news += news
            self.changed.notify_all()

    def tail(self, idle_s: float) -> Generator[int | None]:
        self.tails += 1
        return self._tail(len(self.news), idle_s)

    def _tail(self, first: int, idle_s: float) -> Generator[int | None]:
        for place in itertools.count(first):
            with self.changed:
                while len(self.news) <= place:
                    if not self.changed.wait(idle_s):
                        yield None
                item = self.news[place]
            if isinstance(item, JournalError):
                raise item
            yield item


async def test_listen_each_hears_everything_from_one_tail() -> None:
    source = Source()
    feed = Feed[int](source.tail)
    async with asyncio.timeout(60), feed.listen() as one, feed.listen() as other:
        source.say(1, 2)
        assert [await queue.get() for queue in (one, one, other, other)] == [1, 2, 1, 2]
    assert source.tails == 1
    async with asyncio.timeout(60), feed.listen() as later:
        source.say(3)
        assert await later.get() == 3
    assert source.tails == 2


async def test_listen_source_that_fails_cuts_off_and_is_tried_again() -> None:
    source = Source()
    feed = Feed[int](source.tail)
    async with asyncio.timeout(60), feed.listen() as queue:
        source.say(1, JournalError("locked"))
        assert [await queue.get(), await queue.get()] == [1, None]
        while feed._following and not feed._following.done():
            await asyncio.sleep(0.001)
        async with feed.listen() as other:
            source.say(2)
            assert await other.get() == 2


async def test_listen_slow_listener_is_cut_off_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_BACKLOG", 3)
    source = Source()
    feed = Feed[int](source.tail)
    async with asyncio.timeout(60), feed.listen() as slow, feed.listen() as quick:
        for number in range(6):
            source.say(number)
            assert await quick.get() == number
        assert [await slow.get() for _ in range(4)] == [0, 1, 2, None]


class Rings:
    """Tails of a source that is slow to open; ``open`` are those that hold something, as a journal's do."""

    def __init__(self) -> None:
        self.open = 0
        self.may_open = threading.Event()

    def tail(self, idle_s: float) -> Generator[int | None]:
        self.open += 1
        self.may_open.wait(60)
        return self._tail()

    def _tail(self) -> Generator[int | None]:
        try:
            for number in itertools.count():
                time.sleep(0.001)
                yield number
        finally:
            self.open -= 1


@pytest.mark.parametrize("turns", range(8))
@pytest.mark.parametrize("is_slow", [True, False])
async def test_listen_that_is_cancelled_at_any_time_leaves_nothing_open(turns: int, is_slow: bool) -> None:
    """All that runs is cancelled at once, as where a program ends."""
    source = Rings()
    feed = Feed[int](source.tail)

    async def listen() -> None:
        async with feed.listen() as queue:
            while True:
                await queue.get()

    if not is_slow:
        source.may_open.set()
    others = {asyncio.create_task(listen()) for _ in range(2)}
    for _ in range(turns):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)
    source.may_open.set()
    await asyncio.gather(*others, return_exceptions=True)
    async with asyncio.timeout(60):
        while source.open:
            await asyncio.sleep(0.001)


async def test_listen_after_the_last_left_is_told_nothing_of_what_came_before() -> None:
    """The thread that followed for those before may still have something to tell."""
    source = Source()
    feed = Feed[int](source.tail)
    async with asyncio.timeout(60), feed.listen() as queue:
        source.say(1)
        assert await queue.get() == 1
        stopped = feed._stopped
    async with asyncio.timeout(60), feed.listen() as later:
        feed._tell(stopped, 2)
        source.say(3)
        assert await later.get() == 3


async def test_listen_to_what_cannot_be_opened_raises_and_the_next_tries_again() -> None:
    source = Source()
    tails = iter([JournalError("locked")])

    def tail(idle_s: float) -> Generator[int | None]:
        for error in tails:
            raise error
        return source.tail(idle_s)

    feed = Feed[int](tail)
    with pytest.raises(JournalError, match="locked"):
        async with asyncio.timeout(60), feed.listen():
            raise AssertionError("there is nothing to hear")
    async with asyncio.timeout(60), feed.listen() as queue:
        source.say(1)
        assert await queue.get() == 1


async def test_is_full_beyond_the_most_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_MOST_LISTENERS", 1)
    feed = Feed[int](Source().tail)
    assert not feed.is_full
    async with feed.listen():
        assert feed.is_full
