"""WebSockets: a client's socket, the node's socket behind it, and the subscriptions between them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from onchain_exec.testing.lying_node.exchange import Answer, Call, Cut, HttpFailure, Refusal, Result
from onchain_exec.testing.lying_node.proxy import Proxy
from onchain_exec.testing.lying_node.upstream import Upstream
from onchain_exec.testing.lying_node.wire import decode_exchange, encode_event, encode_invalid, to_reply

_OVER_THE_SOCKET = ("eth_subscribe", "eth_unsubscribe")
"""The node wants these on a socket; all other calls take the same way as over HTTP."""


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """What a client subscribed to: ``kind`` and, for logs, the filter."""

    socket: ClientSocket
    subscription_id: str
    kind: str
    wanted: Any


@dataclass(slots=True)
class Sockets:
    """The clients' open sockets and their subscriptions. Events of kinds in ``silenced`` are not taken
    from the node: a model publishes them itself."""

    upstream: Upstream
    silenced: frozenset[str] = frozenset()
    open: set[ClientSocket] = field(default_factory=set)
    subscriptions: list[Subscription] = field(default_factory=list)

    def find(self, kind: str) -> tuple[Subscription, ...]:
        """Return the subscriptions of a kind."""
        return tuple(found for found in self.subscriptions if found.kind == kind)

    async def close(self) -> None:
        """Close all sockets."""
        for client in tuple(self.open):
            await client.close()


class ClientSocket:
    """One client's socket. Its calls are answered each in its own time, as a node does."""

    def __init__(self, proxy: Proxy, sockets: Sockets) -> None:
        self._proxy, self._sockets = proxy, sockets
        self._socket = web.WebSocketResponse(max_msg_size=0)
        self._node: NodeSocket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer until the client goes."""
        self._transport = request.transport
        await self._socket.prepare(request)
        self._sockets.open.add(self)
        try:
            async for message in self._socket:
                self._start(self._answer(message.data))
        finally:
            await self.close()
        return self._socket

    async def close(self) -> None:
        """Close this socket and the node's."""
        self._sockets.open.discard(self)
        self._sockets.subscriptions = [
            found for found in self._sockets.subscriptions if found.socket is not self
        ]
        for task in self._tasks:
            task.cancel()
        if self._node:
            await self._node.close()
        await self._socket.close()

    def publish(self, subscription_id: str, result: Any) -> None:
        """Send an event to the client, as the rules have it."""
        self._start(self._publish(subscription_id, result))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _publish(self, subscription_id: str, result: Any) -> None:
        told = await self._proxy.push(result)
        if told is not None and not self._socket.closed:
            await self._socket.send_str(encode_event(subscription_id, told))

    async def _answer(self, text: str) -> None:
        exchange = decode_exchange(text)
        if exchange is None:
            await self._socket.send_str(encode_invalid().decode())
            return
        answers = await self._proxy.answer(exchange.calls, self._ask)
        replies = [answer for answer in answers if isinstance(answer, Result | Refusal)]
        match answers[-1]:
            case Cut(answer=None) | HttpFailure():
                self._abort()
            case Cut(answer=Result() | Refusal() as reply):
                whole = exchange.encode([*replies, reply])
                await self._socket.send_str(whole[: len(whole) // 2].decode(errors="ignore"))
                self._abort()
            case _:
                await self._socket.send_str(exchange.encode(replies).decode())

    def _abort(self) -> None:
        if self._transport:
            self._transport.abort()

    async def _ask(self, call: Call) -> Answer:
        if call.method not in _OVER_THE_SOCKET:
            return await self._proxy.backend.ask(call)
        if self._node is None:
            self._node = await NodeSocket.connect(self._sockets.upstream, self._hear)
        answer = await self._node.ask(call)
        if isinstance(answer, Result):
            self._note(call, answer)
        return answer

    def _note(self, call: Call, answer: Result) -> None:
        if call.method == "eth_subscribe":
            new = Subscription(self, answer.value, call.params[0], call.get(1, {}))
            self._sockets.subscriptions.append(new)
            return
        self._sockets.subscriptions = [
            found
            for found in self._sockets.subscriptions
            if (found.socket, found.subscription_id) != (self, call.params[0])
        ]

    def _hear(self, subscription_id: str, result: Any) -> None:
        kinds = {
            found.kind
            for found in self._sockets.subscriptions
            if found.socket is self and found.subscription_id == subscription_id
        }
        if not kinds & self._sockets.silenced:
            self.publish(subscription_id, result)


class NodeSocket:
    """A socket to the node, for one client's subscriptions."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hear: Callable[[str, Any], None]) -> None:
        self._socket, self._hear = socket, hear
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, upstream: Upstream, hear: Callable[[str, Any], None]) -> NodeSocket:
        """Return a connected socket; ``hear`` gets each event's subscription id and result."""
        return cls(await upstream.session.ws_connect(upstream.url, max_msg_size=0), hear)

    async def ask(self, call: Call) -> Answer:
        """Return the node's answer."""
        request_id = next(self._ids)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        request = {"jsonrpc": "2.0", "id": request_id, "method": call.method, "params": call.params}
        await self._socket.send_str(msgspec.json.encode(request).decode())
        return await future

    async def close(self) -> None:
        """Close the socket."""
        self._reading.cancel()
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            told = msgspec.json.decode(message.data)
            if told.get("method") == "eth_subscription":
                self._hear(told["params"]["subscription"], told["params"]["result"])
            elif waiting := self._waiting.pop(told["id"], None):
                waiting.set_result(to_reply(told))
        for waiting in self._waiting.values():
            waiting.set_result(HttpFailure(502, body="the node closed the socket"))
