"""Subscriptions through the proxy: events pass, are dropped, or come late; the socket itself may fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from lying_node.raw_client import encode
from onchain_exec.chain import LocalChain
from onchain_exec.testing.lying_node import (
    DeafSocket,
    Hang,
    Latency,
    LyingNode,
    ResetAfter,
    Result,
    ServerError,
    StaleHead,
    Truncated,
)

EVENT = "eth_subscription"


class Socket:
    """A raw socket: answers and events apart."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def ask(self, method: str, *params: Any, request_id: int = 1) -> Any:
        await self.connection.send(json.dumps(encode(method, *params, request_id=request_id)))
        return await self.receive()

    async def receive(self) -> Any:
        async with asyncio.timeout(60):
            return json.loads(await self.connection.recv())

    async def event(self) -> Any:
        return (await self.receive())["params"]["result"]


async def wait_for_events(node: LyingNode, count: int) -> None:
    """Wait until the node has dealt with so many events, told or not."""
    async with asyncio.timeout(60):
        while sum(entry.answer is not None for entry in node.transcript.of(EVENT)) < count:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_socket(node: LyingNode) -> AsyncIterator[Socket]:
    async with connect(node.ws_url, proxy=None) as connection:
        yield Socket(connection)


async def test_socket_passes_answers_and_events(chain: LocalChain, node: LyingNode) -> None:
    async with open_socket(node) as socket:
        subscription = (await socket.ask("eth_subscribe", "newHeads"))["result"]
        assert (await socket.ask("eth_chainId", request_id=9)) == {
            "jsonrpc": "2.0",
            "id": 9,
            "result": "0x539",
        }
        chain.mine(2)
        heads = [await socket.receive() for _ in range(2)]
        assert [head["params"]["result"]["number"] for head in heads] == ["0x1", "0x2"]
        assert {head["params"]["subscription"] for head in heads} == {subscription}
        assert (await socket.ask("eth_unsubscribe", subscription))["result"] is True
        chain.mine()
        other = (await socket.ask("eth_subscribe", "newHeads"))["result"]
        chain.mine()
        last = (await socket.receive())["params"]
        assert (last["subscription"], last["result"]["number"]) == (other, "0x4")
    assert len(node.transcript.of(EVENT)) == 3


async def test_socket_answers_a_batch_and_refuses_garbage(node: LyingNode) -> None:
    async with open_socket(node) as socket:
        await socket.connection.send(json.dumps([encode("eth_chainId"), encode("eth_no_such")]))
        first, second = await socket.receive()
        assert (first["result"], second["error"]["code"]) == ("0x539", -32601)
        await socket.connection.send("nonsense")
        assert (await socket.receive())["error"]["code"] == -32600


async def test_deaf_socket_answers_and_stays_silent(chain: LocalChain, node: LyingNode) -> None:
    """Catalogue 35."""
    async with open_socket(node) as socket:
        await socket.ask("eth_subscribe", "newHeads")
        with node.lying(DeafSocket(), EVENT):
            chain.mine()
            await wait_for_events(node, 1)
            assert (await socket.ask("eth_blockNumber"))["result"] == "0x1"
        chain.mine()
        assert (await socket.event())["number"] == "0x2"
    assert [entry.answer == Result(None) for entry in node.transcript.of(EVENT)] == [True, False]


async def test_event_chosen_by_number_is_dropped_alone(chain: LocalChain, node: LyingNode) -> None:
    """Catalogue 36."""
    node.lie(DeafSocket(), EVENT, nth=2)
    async with open_socket(node) as socket:
        await socket.ask("eth_subscribe", "newHeads")
        chain.mine(3)
        assert [(await socket.event())["number"] for _ in range(2)] == ["0x1", "0x3"]


async def test_latency_delays_events_and_keeps_their_order(chain: LocalChain, node: LyingNode) -> None:
    node.lie(Latency(0.2), EVENT)
    async with open_socket(node) as socket:
        await socket.ask("eth_subscribe", "newHeads")
        chain.mine(5)
        assert [int((await socket.event())["number"], 16) for _ in range(5)] == [1, 2, 3, 4, 5]
    assert all(entry.took_s >= 0.19 for entry in node.transcript.of(EVENT))


async def test_stale_head_tells_older_heads(chain: LocalChain, node: LyingNode) -> None:
    async with open_socket(node) as socket:
        await socket.ask("eth_subscribe", "newHeads")
        chain.mine(3)
        for _ in range(3):
            await socket.event()
        node.lie(StaleHead(2))
        chain.mine()
        told = await socket.event()
    assert told["hash"] == chain.request("eth_getBlockByNumber", "0x2", False)["hash"]


@pytest.mark.parametrize("fault", [ResetAfter(), ServerError(), Truncated(), Hang(0.05)])
async def test_fault_that_ends_a_connection_ends_the_socket(node: LyingNode, fault: Any) -> None:
    node.lie(fault, "eth_chainId")
    async with open_socket(node) as socket:
        with pytest.raises((ConnectionClosed, json.JSONDecodeError)):
            await socket.ask("eth_chainId")
    async with open_socket(node) as other:
        assert (await other.ask("eth_blockNumber"))["result"] == "0x0"


async def test_hanging_call_does_not_hold_up_the_socket(node: LyingNode) -> None:
    node.lie(Hang(), "eth_chainId")
    async with open_socket(node) as socket:
        await socket.connection.send(json.dumps(encode("eth_chainId")))
        assert (await socket.ask("eth_blockNumber", request_id=2))["id"] == 2
