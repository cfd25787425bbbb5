"""JSON-RPC over a connection that stays open and that all requests share; `sockets` opens such."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

from onchain_exec.chain.rpc import name_failure, unreachable
from onchain_exec.chain.transport import Transport

_BROKEN: Final = (OSError, ValueError)
"""How a channel ends: `ValueError` is a message that cannot be used."""


class Channel(Protocol):
    """Whole messages over one connection. It raises OSError when it ends, ValueError at what is no JSON."""

    async def write(self, message: bytes) -> None:
        """Put one message on its way."""
        ...

    async def read(self) -> Any:
        """Return the next message as JSON."""
        ...

    async def close(self) -> None:
        """End the connection. It raises nothing, and is ended at once where this is cancelled."""
        ...


class DuplexRpc(Transport):
    """An `Rpc` over a channel, opened at the first request and again after it broke.

    What was under way when it broke raises, and is never repeated. So does what was not answered
    within ``timeout_s``; the channel is then taken for dead, and dropped. Usable from several event
    loops, each with a channel of its own.
    """

    def __init__(
        self,
        where: str,
        open_channel: Callable[[], Awaitable[Channel]],
        *,
        timeout_s: float = 10.0,
        max_batch: int = 100,
        max_body: int = 1_000_000,
    ) -> None:
        super().__init__(where, max_batch, max_body)
        self._open, self._timeout_s = open_channel, timeout_s
        self._lines: WeakKeyDictionary[asyncio.AbstractEventLoop, _Line] = WeakKeyDictionary()

    async def close(self) -> None:
        """Close the running loop's connection. A later request opens another."""
        if line := self._lines.pop(asyncio.get_running_loop(), None):
            await line.close()

    async def _exchange(self, first_id: int, message: bytes) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                line = await self._get_line()
                return await line.exchange(first_id, message)
        # The foreign error is not chained: its text can hold the URL, and the URL a key.
        except TimeoutError:
            failure = f"no answer within {self._timeout_s:g} s"
            await self.close()
        except _BROKEN as error:
            failure = name_failure(error)
        raise unreachable(self.where, failure)

    async def _get_line(self) -> _Line:
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None or line.is_broken:
            line = self._lines[loop] = _Line(self._open)
        return line


class _Line:
    """One channel and what waits for answers on it, by the first id of each message."""

    def __init__(self, open_channel: Callable[[], Awaitable[Channel]]) -> None:
        self.is_broken = False
        self._open = open_channel
        self._opened: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._listening = asyncio.create_task(self._listen())

    async def exchange(self, request_id: int, message: bytes) -> Any:
        """Return the answer to a message."""
        channel = await asyncio.shield(self._opened)
        answer = self._waiting[request_id] = asyncio.get_running_loop().create_future()
        try:
            if self.is_broken:
                raise ConnectionResetError
            await channel.write(message)
            return await answer
        finally:
            self._waiting.pop(request_id, None)

    async def close(self) -> None:
        """Drop the channel; whatever waits on it fails."""
        self._break(ConnectionResetError())
        self._listening.cancel()
        await asyncio.wait([self._listening])  # if this is cancelled, it ends nevertheless

    async def _listen(self) -> None:
        try:
            channel = await self._open()
        except _BROKEN as error:
            self._break(error)
            return
        try:
            self._opened.set_result(channel)
            while True:
                self._hand_over(await channel.read())
        except _BROKEN as error:
            self._break(error)
        finally:
            await channel.close()

    def _break(self, failure: Exception) -> None:
        """Let everything that waits fail."""
        self.is_broken = True
        for waiting in (self._opened, *self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(failure)
                waiting.exception()  # where nobody waits any more, nobody is to be warned

    def _hand_over(self, message: Any) -> None:
        """Give an answer to whoever waits for it. One that cannot be told apart breaks the channel."""
        if isinstance(message, dict) and "method" in message:
            return  # a subscription's event: nobody here asked for any
        first_id = _get_first_id(message)
        if first_id is None and len(self._waiting) == 1:
            (first_id,) = self._waiting  # an error without an id answers what was asked
        if first_id is None:
            raise ValueError("an answer to nothing that was asked")
        answer = self._waiting.get(first_id)
        if answer and not answer.done():  # else it comes too late
            answer.set_result(message)


def _get_first_id(message: Any) -> int | None:
    items = message if isinstance(message, list) else [message]
    ids = [item.get("id") for item in items if isinstance(item, dict)]
    return min((found for found in ids if type(found) is int), default=None)
