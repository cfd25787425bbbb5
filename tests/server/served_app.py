"""An application over real sockets, on a free loopback port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from onchain_exec.testing.listening import stop_accepting


@asynccontextmanager
async def serve_app(app: Any) -> AsyncIterator[str]:
    """Serve an application and give its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            await stop_accepting(listener)
            server.should_exit = True
            await serving
