"""Reads of a local node: many in batches, one alone, and the time to a fresh fork. Peer: web3.py."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from web3 import AsyncHTTPProvider, AsyncWeb3

from benchmarks.row import Row, higher_is_better, lower_is_better
from onchain_exec.chain import LocalChain, Node
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


def run() -> list[Row]:
    """Return the rows. Batches carry encoded calls on both sides; a single read encodes and decodes."""
    with LocalChain.start() as chain:
        chain.set_code(TOKEN, CODE)
        reads, read_ms = asyncio.run(_measure_ours(chain.url))
        peer_reads, peer_read_ms = asyncio.run(_measure_web3(chain.url))
        fork_ms = statistics.median(_fork_ms(chain) for _ in range(ROUNDS))
    return [
        higher_is_better("batched reads", reads, "per second", "web3.py batch_requests", peer_reads),
        lower_is_better("single read p50", read_ms, "ms", "web3.py contract call", peer_read_ms),
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
    times = []
    for _ in range(ROUNDS):
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


def _fork_ms(chain: LocalChain) -> float:
    begun = time.perf_counter()
    with chain.fork() as fork:
        fork.request("eth_blockNumber")
        return (time.perf_counter() - begun) * 1_000
