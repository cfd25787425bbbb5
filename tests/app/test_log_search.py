"""Logs of a whole chain from a node that searches few blocks at once; v4 pools by their creation alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.app.pools.log_search import search_logs
from onchain_exec.app.pools.reading import read_named_pools
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import ZERO_ADDRESS, Log
from onchain_exec.core.abi import Function
from onchain_exec.errors import NodeRefusedError, NoPoolError
from onchain_exec.testing.lying_node import Fault, LyingNode, Refusal
from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call
from onchain_exec.venues.pool_name import PoolName
from onchain_exec.venues.uniswap_v4 import PoolKey, UniswapV4Pool
from onchain_exec.venues.uniswap_v4.key import KEY_TYPE

INITIALIZE = Function(f"initialize({KEY_TYPE},uint160)", "(int24)")
LIMIT = Refusal(-32602, "block range is too wide")


@dataclass(frozen=True, slots=True)
class NarrowLogs(Fault):
    """``eth_getLogs`` is refused over more than ``most`` blocks, as providers do."""

    most: int

    async def apply(self, call: Call, ask: Ask) -> Answer:
        wanted = call.params[0]
        if "blockHash" in wanted:
            return await ask(call)
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        return LIMIT if last - first + 1 > self.most else await ask(call)


class NarrowNode:
    """Has one log per block that is due, and refuses wide searches."""

    def __init__(self, heights: set[int], most: int) -> None:
        self.heights, self.most, self.asked = heights, most, list[tuple[int, int]]()

    async def get_logs(self, wanted: LogFilter, blocks: tuple[int, int]) -> tuple[Log, ...]:
        first, last = blocks
        self.asked.append(blocks)
        if last - first + 1 > self.most:
            raise NodeRefusedError("eth_getLogs", -32602, "block range is too wide")
        return tuple(
            Log(ZERO_ADDRESS, (), b"", 0, height)
            for height in sorted(self.heights)
            if first <= height <= last
        )


@given(st.sets(st.integers(0, 500)), st.integers(1, 600), st.integers(0, 500), st.integers(0, 500))
async def test_search_logs_finds_each_once_the_newest_piece_first(
    heights: set[int], most: int, one: int, other: int
) -> None:
    first, last = sorted((one, other))
    node = NarrowNode(heights, most)
    pieces = [
        [log.block_number for log in found] async for found in search_logs(node, LogFilter(), first, last)
    ]
    told = [height for piece in reversed(pieces) for height in piece]
    assert told == [height for height in sorted(heights) if first <= height <= last]
    taken = sum(1 for begin, end in node.asked if end - begin < most)
    assert taken <= 2 * (last - first + 1) // most + 1  # pieces are at least half as wide as allowed
    assert len(node.asked) - taken <= 10  # each refusal halved the width


async def test_search_logs_of_a_node_that_refuses_them_all_fails() -> None:
    with pytest.raises(NodeRefusedError):
        _ = [found async for found in search_logs(NarrowNode(set(), 0), LogFilter(), 0, 100)]


@pytest.fixture
def narrow(fork: Sandbox) -> Iterator[LyingNode]:
    with LyingNode.start(fork.url) as node:
        node.lie(NarrowLogs(7), "eth_getLogs")
        yield node


@pytest.fixture
async def node(narrow: LyingNode) -> AsyncIterator[Node]:
    node = await Node.connect(narrow.url)
    yield node
    await node.close()


async def test_read_of_a_v4_pool_that_only_its_initialize_log_tells(
    fork: Sandbox, narrow: LyingNode, node: Node
) -> None:
    manager = fork.deployment.protocols["uniswap_v4"]["pool_manager"]
    pair = sorted((fork.deployment.tokens[symbol].address for symbol in ("WBTC", "DAI")), key=str.lower)
    key = PoolKey(*pair, 4_321, 77, ZERO_ADDRESS)
    ChainEvm(fork.chain).call(DEPLOYER, manager, INITIALIZE.encode(key.to_tuple(), 2**96))
    for _ in range(30):  # it is not in the newest piece
        fork.chain.mine()
    (pool,) = (
        await read_named_pools(node, [PoolName("uniswap_v4", key.pool_id)], await node.get_block())
    ).pools
    assert isinstance(pool, UniswapV4Pool)
    assert (pool.address, pool.pool_key, pool.curve.sqrt_price_x96) == (manager, key, 2**96)
    assert len(narrow.transcript.of("eth_getLogs")) > 5


async def test_read_of_a_v4_pool_that_no_log_tells_fails(node: Node) -> None:
    with pytest.raises(NoPoolError):
        await read_named_pools(node, [PoolName("uniswap_v4", b"\xab" * 32)], await node.get_block())
