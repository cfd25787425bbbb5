"""Reads of a local node: many in batches, one alone, the time to a fresh fork; a pool when a node falls
silent. Peer: web3.py."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any

from web3 import AsyncHTTPProvider, AsyncWeb3

from benchmarks.row import Row, higher_is_better, lower_is_better
from onchain_exec.chain import EndpointPool, HttpRpc, LocalChain, Node, Reply, Request, Rpc
from onchain_exec.chain.pool import Member
from onchain_exec.core import Address, Call, to_address
from onchain_exec.core.abi import Function

TOKEN = to_address("0x" + "70" * 20)
CODE = bytes.fromhex("60043560005260206000f3")
"""Answers balanceOf(owner) with the owner, so that each answer can be checked."""

BALANCE_OF = Function("balanceOf(address)", "(uint256)")
ABI = [
    {
        "name": "balanceOf",
        "type": "function",
        "stateMutability": "view",
        "inputs": [{"name": "owner", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
    }
]
OWNERS = [to_address(number.to_bytes(20)) for number in range(1, 2_001)]
BATCH = 100
ROUNDS = 7
MEASURED_S = 4.0
"""Of each side's batches, so that a busy machine leaves both some undisturbed rounds."""

DISTANCE_S, STALL_S, HANG_S = 0.02, 0.5, 10.0
"""Of an endpoint that is not local; of one that stalls; of one that is gone."""

STALLS = 0.02


def run() -> list[Row]:
    """Return the rows. Batches carry encoded calls on both sides; a single read encodes and decodes."""
    with LocalChain.start() as chain:
        chain.set_code(TOKEN, CODE)
        reads, read_ms = asyncio.run(_measure_ours(chain.url))
        peer_reads, peer_read_ms = asyncio.run(_measure_web3(chain.url))
        failover_ms = statistics.median(asyncio.run(_measure_failover(chain)) for _ in range(ROUNDS))
        alone, hedged = asyncio.run(_measure_tail(chain))
        fork_ms = statistics.median(_fork_ms(chain) for _ in range(ROUNDS))
    return [
        higher_is_better("batched reads", reads, "per second", "web3.py batch_requests", peer_reads),
        lower_is_better("single read p50", read_ms, "ms", "web3.py contract call", peer_read_ms),
        Row("failover", failover_ms, "ms"),
        lower_is_better("hedged p99/p50", hedged, "times", "the same reads unhedged", alone),
        Row("fork to first answer p50", fork_ms, "ms"),
    ]


async def _measure_ours(url: str) -> tuple[float, float]:
    node = await Node.connect(url)
    block = await node.get_block()

    async def read(data: list[bytes]) -> list[bytes]:
        snapshot = await node.read_calls([Call(TOKEN, item) for item in data], block)
        return [answer.data for answer in snapshot.answers]

    async def read_one(owner: Address) -> int:
        snapshot = await node.read_calls([Call(TOKEN, BALANCE_OF.encode(owner))], block)
        return BALANCE_OF.decode(snapshot.answers[0].data)[0]

    figures = await _per_second(read, OWNERS), await _median_ms(read_one)
    await node.close()
    return figures


async def _measure_web3(url: str) -> tuple[float, float]:
    w3 = AsyncWeb3(AsyncHTTPProvider(url))
    token = w3.eth.contract(address=TOKEN, abi=ABI)

    async def read(data: list[bytes]) -> list[bytes]:
        found: list[bytes] = []
        for start in range(0, len(data), BATCH):
            async with w3.batch_requests() as batch:
                for item in data[start : start + BATCH]:
                    batch.add(w3.eth.call({"to": TOKEN, "data": item}))
                found += await batch.async_execute()
        return found

    async def read_one(owner: Address) -> int:
        return await token.functions.balanceOf(owner).call()

    figures = await _per_second(read, OWNERS[:500]), await _median_ms(read_one)
    await w3.provider.disconnect()
    return figures


async def _per_second(read: Callable[[list[bytes]], Awaitable[list[bytes]]], owners: list[Address]) -> float:
    """Return the best of some rounds: what disturbs a shared machine only ever slows it."""
    data = [BALANCE_OF.encode(owner) for owner in owners]
    times: list[float] = []
    while len(times) < 3 or sum(times) < MEASURED_S:
        begun = time.perf_counter()
        found = await read(data)
        times.append(time.perf_counter() - begun)
        assert [int.from_bytes(answer) for answer in found] == [int(owner, 16) for owner in owners]
    return len(owners) / min(times)


async def _median_ms(read_one: Callable[[Address], Awaitable[int]]) -> float:
    times = []
    for owner in OWNERS[:200]:
        begun = time.perf_counter()
        found = await read_one(owner)
        times.append(time.perf_counter() - begun)
        assert found == int(owner, 16)
    return statistics.median(times) * 1_000


class Stalling:
    """An `Rpc` on a real node that can fall silent, or stall once in so many requests."""

    def __init__(self, url: str, number: int) -> None:
        self._rpc, self.where = HttpRpc(url), f"http://{number}"
        self._random = Random(number)
        self.is_silent, self.stalls = False, 0.0

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return await self._rpc.request(method, params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        if self.is_silent:
            await asyncio.sleep(HANG_S)
        await asyncio.sleep(DISTANCE_S + (STALL_S if self._random.random() < self.stalls else 0))
        return await self._rpc.batch(requests)

    async def close(self) -> None:
        await self._rpc.close()


def _make_pool(chain: LocalChain) -> tuple[list[Stalling], EndpointPool]:
    endpoints = [Stalling(chain.url, number) for number in range(3)]
    return endpoints, EndpointPool([Member(endpoint) for endpoint in endpoints])


async def _measure_failover(chain: LocalChain) -> float:
    """Return the milliseconds of a decision's reads in which an endpoint falls silent for good."""
    endpoints, pool = _make_pool(chain)
    node = await Node.connect(pool)
    await _decide(node)
    endpoints[0].is_silent = True
    begun = time.perf_counter()
    await _decide(node)
    taken = time.perf_counter() - begun
    await node.close()
    return taken * 1_000


async def _decide(node: Node) -> None:
    block = await node.get_block()
    await node.read_calls([Call(TOKEN, BALANCE_OF.encode(owner)) for owner in OWNERS[:10]], block)


async def _measure_tail(chain: LocalChain) -> tuple[float, float]:
    """Return p99 over p50 of single reads of endpoints that stall: of one alone, and of the pool."""
    endpoints, pool = _make_pool(chain)
    node = await Node.connect(pool)
    block = await node.get_block()
    for endpoint in endpoints:
        endpoint.stalls = STALLS
    pin = {"blockHash": block.hash}
    ratios = [await _get_tail(rpc, pin) for rpc in (endpoints[0], pool)]
    await node.close()
    return ratios[0], ratios[1]


async def _get_tail(rpc: Rpc, pin: dict[str, str]) -> float:
    times = []
    for owner in OWNERS[:1_000]:
        begun = time.perf_counter()
        await rpc.batch([("eth_getBalance", (owner, pin))])
        times.append(time.perf_counter() - begun)
    cuts = statistics.quantiles(times, n=100)
    return cuts[98] / cuts[49]


def _fork_ms(chain: LocalChain) -> float:
    begun = time.perf_counter()
    with chain.fork() as fork:
        fork.request("eth_blockNumber")
        return (time.perf_counter() - begun) * 1_000
