"""A WebSocket server on a free loopback port."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.server import ServerConnection, serve

from onchain_exec.testing.listening import stop_accepting


@asynccontextmanager
async def serve_sockets(talk: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """Let ``talk`` have each connection; give the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with serve(talk, sock=listener):
            try:
                yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                await stop_accepting(listener)
