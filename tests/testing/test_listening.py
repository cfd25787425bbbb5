"""What a server of ours leaves behind when it closes."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import suppress

from aiohttp import web

from onchain_exec.testing.listening import listen


async def _answer(request: web.BaseRequest) -> web.Response:
    return web.Response()


async def test_listen_drops_a_connection_of_its_last_moment():
    for turns in range(4):  # a lost socket makes this test fail: the warning is an error
        async with listen(web.ServerRunner(web.Server(_answer), shutdown_timeout=0.05)) as port:
            client = socket.create_connection(("127.0.0.1", port))
            for _ in range(turns):
                await asyncio.sleep(0)
        client.settimeout(5)
        with suppress(ConnectionResetError):  # it was never accepted
            assert client.recv(1) == b""
        client.close()
        gc.collect()
