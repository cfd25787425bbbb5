"""A loopback port that aiohttp serves, for as long as a context is entered."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


@asynccontextmanager
async def listen(runner: web.BaseRunner, port: int = 0) -> AsyncIterator[int]:
    """Serve a runner on loopback and give the port; 0 takes a free one.

    At the end every connection is dropped, one that was accepted a moment before too.

    Raises:
        OSError: the port is taken.
    """
    with socket.create_server(("127.0.0.1", port)) as listener:
        try:
            await runner.setup()
            await web.SockSite(runner, listener).start()
            yield int(listener.getsockname()[1])
        finally:
            await stop_accepting(listener)
            await runner.cleanup()


async def stop_accepting(listener: socket.socket) -> None:
    """Stop accepting connections, before the asyncio server of this socket is closed.

    A server that closes in the turn of the loop in which it has accepted a connection loses its socket:
    nobody closes it, and the client waits.
    """
    asyncio.get_running_loop().remove_reader(listener)
    await asyncio.sleep(0)
