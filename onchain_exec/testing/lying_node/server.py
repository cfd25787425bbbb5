"""The proxy's face: HTTP and WebSocket on one loopback port."""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from onchain_exec.testing.listening import listen
from onchain_exec.testing.lying_node.exchange import Cut, HttpFailure, Refusal, Result
from onchain_exec.testing.lying_node.proxy import Proxy
from onchain_exec.testing.lying_node.sockets import ClientSocket, Sockets
from onchain_exec.testing.lying_node.wire import decode_exchange, encode_invalid

_RST = struct.pack("ii", 1, 0)
"""SO_LINGER on, zero seconds: closing resets instead of finishing."""


class Server:
    """Serves a proxy on loopback."""

    def __init__(self, proxy: Proxy, sockets: Sockets) -> None:
        self._proxy, self._sockets = proxy, sockets

    @asynccontextmanager
    async def serve(self, port: int) -> AsyncIterator[int]:
        """Listen, and give the port; 0 takes a free one. At the end every connection is dropped."""
        runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.05)
        async with listen(runner, port) as taken:
            try:
                yield taken
            finally:
                await self._sockets.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await ClientSocket(self._proxy, self._sockets).serve(request)
        exchange = decode_exchange(await request.read())
        if exchange is None:
            return _json(encode_invalid())
        answers = await self._proxy.answer(exchange.calls)
        replies = [answer for answer in answers if isinstance(answer, Result | Refusal)]
        match answers[-1]:
            case Cut(answer=None):
                return _reset(request)
            case Cut(answer=Result() | Refusal() as reply):
                return await _truncate(request, exchange.encode([*replies, reply]))
            case HttpFailure(status=status, retry_after_s=after, body=text):
                headers = {} if after is None else {"Retry-After": str(after)}
                return web.Response(status=status, text=text, headers=headers)
            case _:
                return _json(exchange.encode(replies))


def _json(body: bytes) -> web.Response:
    return web.Response(body=body, content_type="application/json")


def _reset(request: web.BaseRequest) -> web.StreamResponse:
    if request.transport:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
        request.transport.abort()
    return web.Response()


async def _truncate(request: web.BaseRequest, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport:
        request.transport.close()
    return response
