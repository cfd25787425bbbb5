"""Signs of new heads over a WebSocket; a socket that is deaf or broken is replaced."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from onchain_exec.chain.heads.follower import Wake
from onchain_exec.chain.sockets import connect_web_socket
from onchain_exec.chain.transport import AsyncClosing
from onchain_exec.chain.wire import encode_request
from onchain_exec.errors import ConfigError

_SUBSCRIBE: Final = encode_request(1, ("eth_subscribe", ("newHeads",)))


class FirstSign:
    """Several `Wake`s as one: of several endpoints, so that one deaf socket costs no time."""

    def __init__(self, *wakes: Wake) -> None:
        self._wakes = wakes

    async def wait(self, timeout_s: float) -> bool:
        """Return True at the first sign of any, False after ``timeout_s`` without one."""
        waiting = [asyncio.create_task(wake.wait(timeout_s)) for wake in self._wakes]
        try:
            for sign in asyncio.as_completed(waiting):
                if await sign:
                    return True
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        return False

    def report_missed_head(self) -> None:
        """Tell each of them: none gave a sign."""
        for wake in self._wakes:
            wake.report_missed_head()


class HeadSubscription(AsyncClosing):
    """A `Wake` over ``eth_subscribe``. It only ever signals: what it says is read from the node.

    Use it as an async context manager. A connection that failed or ended is tried again at a later
    `wait`, once in the time that this one waits, so that a follower falls back to its interval
    meanwhile, and a server that hangs up at once is not besieged.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("ws", "wss"):
            raise ConfigError("the subscription URL is not a WebSocket address", needed="wss://HOST/...")
        self._url = url
        self._sign = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None
        self._sockets: set[asyncio.Task[None]] = set()
        self._may_connect_at = float("-inf")

    async def wait(self, timeout_s: float) -> bool:
        """Return True at the next new head, False after ``timeout_s`` without one."""
        now = asyncio.get_running_loop().time()
        if (self._listening is None or self._listening.done()) and now >= self._may_connect_at:
            self._listening = asyncio.create_task(self._listen())
            self._sockets.add(self._listening)
            self._listening.add_done_callback(self._sockets.discard)
            self._may_connect_at = now + timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await self._sign.wait()
        except TimeoutError:
            return False
        self._sign.clear()
        return True

    def report_missed_head(self) -> None:
        """Drop the socket: it stayed silent while a head came."""
        if self._listening:
            self._listening.cancel()
            self._listening = None

    async def close(self) -> None:
        """Close the socket, and wait for those that were dropped."""
        for socket in self._sockets:
            socket.cancel()
        if self._sockets:
            await asyncio.wait(self._sockets)  # if this is cancelled, they end nevertheless

    async def _listen(self) -> None:
        try:
            socket = await connect_web_socket(self._url)
            try:
                await socket.write(_SUBSCRIBE)
                while True:
                    await socket.read()
                    self._sign.set()
            finally:
                await socket.close()
        except (OSError, ValueError):
            return  # no sign: the follower's interval goes on, and the next wait connects again
