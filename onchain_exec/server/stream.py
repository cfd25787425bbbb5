"""What is appended, as WebSocket streams: one thread that follows, and a queue for each listener."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from onchain_exec.errors import JournalError
from onchain_exec.oms import Journal
from onchain_exec.oms.book.events import Event

log = logging.getLogger(__name__)

T = TypeVar("T")

_IDLE_S: Final = 0.2
"""How soon the follower notices that nobody listens any more."""
_BACKLOG: Final = 10_000
"""What waits for a slow listener; one that is slower is cut off."""
_MOST_LISTENERS: Final = 256
_TRY_AGAIN: Final = 1013
"""WebSocket close code (IANA registry)."""


class Feed(Generic[T]):
    """What ``tail`` yields, to each listener from when it came; ``tail(idle_s)`` yields None whenever nothing
    came for so long. It is followed while anybody listens."""

    def __init__(self, tail: Callable[[float], Generator[T | None]]) -> None:
        self._tail = tail
        self._queues: set[asyncio.Queue[T | None]] = set()
        self._stopped = threading.Event()
        self._opened: asyncio.Future[None] | None = None
        self._following: asyncio.Future[None] | None = None

    @property
    def is_full(self) -> bool:
        """Whether no more may listen."""
        return len(self._queues) >= _MOST_LISTENERS

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[T | None]]:
        """Give a queue of what comes from now on; None in it says that it overflowed, or that following
        failed."""
        queue: asyncio.Queue[T | None] = asyncio.Queue()
        self._queues.add(queue)
        try:
            await self._require_following()
            yield queue
        finally:
            self._queues.remove(queue)
            if not self._queues:
                await self._end()

    async def _require_following(self) -> None:
        """Wait until the thread that follows has opened what it follows, or raise why it could not."""
        if self._opened is None or self._following is None or self._following.done():
            loop = asyncio.get_running_loop()
            self._stopped, self._opened = threading.Event(), loop.create_future()
            follow = partial(self._follow, self._stopped, self._opened, loop)
            # at once: no task that a cancellation forestalls
            self._following = loop.run_in_executor(None, follow)
        following = self._following
        await asyncio.wait({following, self._opened}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            following.result()

    async def _end(self) -> None:
        following, self._following = self._following, None
        self._stopped.set()
        if following is not None:
            await asyncio.wait({following})  # a thread cannot be cancelled; if this is, it ends nevertheless

    def _follow(
        self, stopped: threading.Event, opened: asyncio.Future[None], loop: asyncio.AbstractEventLoop
    ) -> None:
        is_open = False
        try:
            with closing(self._tail(_IDLE_S)) as news:
                is_open = True
                loop.call_soon_threadsafe(opened.set_result, None)
                for item in news:
                    if stopped.is_set():
                        return
                    if item is not None:
                        loop.call_soon_threadsafe(self._tell, stopped, item)
        except JournalError as error:
            if not is_open:
                raise
            log.warning("listeners are told nothing more: %s", error)
            loop.call_soon_threadsafe(self._tell, stopped, None)

    def _tell(self, stopped: threading.Event, item: T | None) -> None:
        """Tell whoever listens, unless those have left for whom it was found."""
        for queue in () if stopped.is_set() else self._queues:
            if queue.qsize() < _BACKLOG:
                queue.put_nowait(item)
            elif queue.qsize() == _BACKLOG:
                queue.put_nowait(None)


async def forward(
    socket: WebSocket, queue: asyncio.Queue[T | None], send: Callable[[T], Awaitable[None]]
) -> None:
    """Send what comes into the queue until the client leaves or is cut off."""
    leaving, waiting = asyncio.create_task(_wait_for_leave(socket)), asyncio.create_task(queue.get())
    try:
        while True:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done():
                return
            item = waiting.result()
            if item is None:
                await socket.close(_TRY_AGAIN, "cut off: connect again and read what you missed")
                return
            await send(item)
            waiting = asyncio.create_task(queue.get())
    except WebSocketDisconnect:
        return
    finally:
        leaving.cancel()
        waiting.cancel()


class HasRoom(Protocol):
    """What some may listen to, and not too many."""

    @property
    def is_full(self) -> bool:
        """Whether no more may listen."""


async def refuse_if_full(socket: WebSocket, source: HasRoom) -> bool:
    """Turn a client away where no more may listen; return whether that was so."""
    if source.is_full:
        await socket.close(_TRY_AGAIN, "too many listeners")
        return True
    return False


def add_stream(app: FastAPI, journal: Journal) -> None:
    """Serve the journal's events at ``/events``."""
    feed = Feed(journal.tail)

    @app.websocket("/events")
    async def events(socket: WebSocket) -> None:
        """Send each event as a JSON document from the moment the connection stands."""
        if await refuse_if_full(socket, feed):
            return
        async with feed.listen() as queue:
            await socket.accept()
            await forward(socket, queue, lambda event: socket.send_json(_to_json(event)))


async def _wait_for_leave(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive()
    except (WebSocketDisconnect, RuntimeError):
        return


def _to_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "kind": event.kind.value,
        "order_id": event.order_id,
        "slot": str(event.slot) if event.slot else None,
        "payload": event.payload,
    }
