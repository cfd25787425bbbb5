"""The book as a WebSocket stream: what rests, and then each change, numbered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from onchain_exec.oms.signed_book import BookedOrder, Changes
from onchain_exec.server.book.service import BookService
from onchain_exec.server.stream import Feed, forward, refuse_if_full

_TOLD_AT_ONCE: Final = 500
"""Orders in a message: about 300 kB."""


def add_changes(router: APIRouter, service: BookService) -> None:
    """Serve the book's changes at ``/changes``."""
    feed = Feed(service.book.tail)

    @router.websocket("/changes")
    async def changes(socket: WebSocket, after: Annotated[int | None, Query(ge=0, lt=2**62)] = None) -> None:
        """Send the orders that rest, or those changed ``after`` a number, and then those that change. Each
        message says which ``number`` it brings its reader to, and after which: a gap shows. Where ``after``
        is null it begins anew, with all that rest. That a deadline passes is no change."""
        if await refuse_if_full(socket, feed):
            return
        async with feed.listen() as queue:
            await socket.accept()
            teller = _Teller(socket, service)
            try:
                await teller.begin(after)
            except WebSocketDisconnect:
                return
            await forward(socket, queue, teller.tell)


class _Teller:
    """Tells one listener of the book's changes, from where it is."""

    def __init__(self, socket: WebSocket, service: BookService) -> None:
        self._socket, self._service = socket, service
        self._number = 0

    async def begin(self, after: int | None) -> None:
        """Send what the listener lacks: everything, if it names no number or one that is too old."""
        if after is None:
            await self._send_all()
            return
        self._number = after
        while True:
            found = await asyncio.to_thread(self._service.book.read_changes, self._number)
            if not found.is_complete:
                await self._send_all()
            if not (found.is_complete and found.orders):
                return
            await self.tell(found)

    async def tell(self, changes: Changes) -> None:
        """Send what is new of these changes."""
        if changes.number <= self._number:
            return
        if not changes.is_complete:
            await self._send_all()
            return
        new = [booked for booked in changes.orders if booked.number > self._number]
        await self._send(self._number, changes.number, new)

    async def _send_all(self) -> None:
        now = self._service.context.now()
        number, orders = await asyncio.to_thread(self._service.book.read_snapshot, now)
        await self._send(None, number, orders[:_TOLD_AT_ONCE])
        for at in range(_TOLD_AT_ONCE, len(orders), _TOLD_AT_ONCE):
            await self._send(number, number, orders[at : at + _TOLD_AT_ONCE])

    async def _send(self, after: int | None, number: int, orders: Sequence[BookedOrder]) -> None:
        self._number = number
        told = [self._service.show(booked) for booked in orders]
        await self._socket.send_json({"after": after, "number": number, "orders": told})
