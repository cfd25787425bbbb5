"""Journal events as a WebSocket stream: a follower thread and a queue for each listener."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any, Final

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from onchain_exec.oms import Journal
from onchain_exec.oms.book.events import Event

_IDLE_S: Final = 0.2
"""How soon the follower notices that nobody listens any more."""
_BACKLOG: Final = 10_000
"""Events that wait for a slow listener; one that is slower is cut off."""


@asynccontextmanager
async def listen(journal: Journal) -> AsyncIterator[asyncio.Queue[Event | None]]:
    """Give a queue of what is appended from now on; None in it says that it overflowed."""
    queue: asyncio.Queue[Event | None] = asyncio.Queue()
    stopped, loop = threading.Event(), asyncio.get_running_loop()
    news = await asyncio.to_thread(journal.tail, _IDLE_S)

    def follow() -> None:
        with closing(news):
            for event in news:
                if stopped.is_set():
                    return
                if event is not None:
                    loop.call_soon_threadsafe(_put, queue, event)

    following = asyncio.create_task(asyncio.to_thread(follow))
    try:
        yield queue
    finally:
        stopped.set()
        await following


def add_stream(app: FastAPI, journal: Journal) -> None:
    """Serve the journal's events at ``/events``."""

    @app.websocket("/events")
    async def events(socket: WebSocket) -> None:
        """Send each event as a JSON document from the moment the connection stands."""
        async with listen(journal) as queue:
            await socket.accept()
            leaving = asyncio.create_task(_wait_for_leave(socket))
            try:
                await _forward(socket, queue, leaving)
            finally:
                leaving.cancel()


async def _forward(
    socket: WebSocket, queue: asyncio.Queue[Event | None], leaving: asyncio.Task[None]
) -> None:
    while not leaving.done():
        waiting = asyncio.create_task(queue.get())
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        event = waiting.result()
        if event is None:
            await socket.close(1013, "too slow: connect again and read /orders")
            return
        await socket.send_json(_to_json(event))


async def _wait_for_leave(socket: WebSocket) -> None:
    try:
        while True:
            await socket.receive()
    except (WebSocketDisconnect, RuntimeError):
        return


def _put(queue: asyncio.Queue[Event | None], event: Event) -> None:
    if queue.qsize() < _BACKLOG:
        queue.put_nowait(event)
    elif queue.qsize() == _BACKLOG:
        queue.put_nowait(None)


def _to_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "kind": event.kind.value,
        "order_id": event.order_id,
        "slot": str(event.slot) if event.slot else None,
        "payload": event.payload,
    }
