"""Pools on a local node: the time to load one of 1,000 ticks, events followed, memory of many.

Loading is the median of some rounds by the wall clock, as the node's work is in it; following the best
by CPU time. Events are two thirds swaps, one third mints and burns of the pool's own ticks. Peers:
degenbot, and for loading Uniswap's TickLens through web3.py; both are told where the ticks are, ours
looks for them. All must come to the same state; the row names the faster one.
"""

from __future__ import annotations

import asyncio
import statistics
import time
import tracemalloc
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks import peers, tick_lens
from benchmarks.row import Row, higher_is_better, lower_is_better
from onchain_exec.app.pools.history import PoolHistory
from onchain_exec.app.pools.reading import read_named_pools
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import LogFilter, Node
from onchain_exec.core import Address, BlockRef, Log, to_address
from onchain_exec.core.abi import Function
from onchain_exec.venues.pool_file import pool_from_json
from onchain_exec.venues.pool_name import parse_pool_name
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool, read_v3_pool
from onchain_exec.venues.uniswap_v3.events import BURN, MINT, SWAP

TICKS, FEE_PIPS, SPACING = 1_000, 500, 10
TURNS, SWAPS = 334, 6  # a turn is three blocks: swaps, mints, a burn
LOADED = 10_000
ROUNDS = 15
DEGENBOT = "degenbot 0.3.0"
DEGENBOT_PROGRAM = Path(__file__).parent / "peer_degenbot_pools.py"

_PER_CALL = 25  # positions: about 0.4 million gas each
_NEVER = 2**48
_CREATE = Function("createAndInitializePoolIfNecessary(address,address,uint24,uint160)", "(address)")
_MULTICALL = Function("multicall(bytes[])", "(bytes[])")
_MINT = Function(
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))",
    "(uint256,uint128,uint256,uint256)",
)
_BURN = Function("decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))")
_SWAP = Function("exactInputSingle((address,address,uint24,address,uint256,uint256,uint160))")


def run() -> list[Row]:
    """Return the rows."""
    with Sandbox.start() as sandbox:
        rows = asyncio.run(_measure(_Market(sandbox)))
        memory_mb = asyncio.run(_measure_memory(sandbox))
    return [
        *rows,
        Row(f"memory of {LOADED} v3 pools", memory_mb, "MB"),
    ]


class _Market:
    """A v3 pool of `TICKS` ticks on the sandbox, in a pair that has no other of its fee."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.evm, self.sandbox = ChainEvm(sandbox.chain), sandbox
        tokens, v3 = sandbox.deployment.tokens, sandbox.deployment.protocols["uniswap_v3"]
        self.pair = sorted((tokens["WBTC"].address, tokens["DAI"].address), key=str.lower)
        self.manager, self.router = v3["position_manager"], v3["swap_router"]
        for symbol in ("WBTC", "DAI"):
            sandbox.fund(DEPLOYER, tokens[symbol], 10**30)
            for spender in (self.manager, self.router):
                approve(self.evm, tokens[symbol], DEPLOYER, spender)
        create = _CREATE.encode(*self.pair, FEE_PIPS, 2**96)
        self.pool = to_address(_CREATE.decode(self.evm.static_call(self.manager, create))[0])
        self._call(self.manager, [create])
        for first in range(-TICKS // 4, TICKS // 4, _PER_CALL):
            self.mint([(2 * place, 2 * place + 1) for place in range(first, first + _PER_CALL)])

    def mint(self, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Mint positions, one per range of ticks in spacings; return their numbers and liquidities."""
        fixed = (10**18, 10**18, 0, 0, DEPLOYER, _NEVER)
        calls = [
            _MINT.encode((*self.pair, FEE_PIPS, lower * SPACING, upper * SPACING, *fixed))
            for lower, upper in ranges
        ]
        (made,) = _MULTICALL.decode(self.evm.static_call(self.manager, _MULTICALL.encode(calls)))
        self._call(self.manager, calls)
        return [_MINT.decode(answer)[:2] for answer in made]

    def burn(self, positions: list[tuple[int, int]]) -> None:
        """Take all liquidity out of positions."""
        self._call(self.manager, [_BURN.encode((*position, 0, 0, _NEVER)) for position in positions])

    def swap(self, count: int) -> None:
        """Swap back and forth, over some ticks each time."""
        self._call(
            self.router,
            [
                _SWAP.encode((*self.pair[:: (-1) ** turn], FEE_PIPS, DEPLOYER, 5 * 10**18, 0, 0))
                for turn in range(count)
            ],
        )

    def _call(self, to: Address, calls: list[bytes]) -> None:
        self.evm.call(DEPLOYER, to, _MULTICALL.encode(calls))


async def _measure(market: _Market) -> list[Row]:
    node = await Node.connect(market.sandbox.url)
    pool, load_ms = await _load(node, market.pool)
    loaders = {
        tick_lens.NAME: tick_lens.measure(market.evm, market.sandbox.url, pool, ROUNDS),
        DEGENBOT: _load_with_degenbot(market.sandbox.url, pool),
    }
    first = await node.get_block()
    for _ in range(TURNS):
        market.swap(SWAPS)
        market.burn(market.mint([(-2, 3), (-41, -38)])[1:])
    last = await node.get_block()
    logs = await node.get_logs(LogFilter((market.pool,)), (first.number + 1, last.number))
    assert Counter(log.topics[0] for log in logs) == {
        SWAP.topic: TURNS * SWAPS,
        MINT.topic: TURNS * 2,
        BURN.topic: TURNS,
    }
    fresh, _ = await _load(node, market.pool)
    rate = max(_follow(pool, logs, fresh) for _ in range(ROUNDS))
    await node.close()
    fastest = min(loaders, key=lambda name: loaders[name])
    peer_rate = _follow_with_degenbot(pool, logs, fresh)
    return [
        lower_is_better(f"load {TICKS}-tick pool", load_ms, "ms", fastest, loaders[fastest]),
        higher_is_better("events applied", rate, "per second", DEGENBOT, peer_rate),
    ]


def _load_with_degenbot(url: str, pool: UniswapV3Pool) -> float:
    task = {"url": url, "address": pool.address, "words": tick_lens.list_words(pool), "rounds": ROUNDS}
    found = peers.ask_python("degenbot", DEGENBOT_PROGRAM, ("load", task))
    _require_state(found["state"], pool)
    return float(found["ms"])


def _follow_with_degenbot(pool: UniswapV3Pool, logs: tuple[Log, ...], fresh: UniswapV3Pool) -> float:
    told = [(log.block_number, [topic.hex() for topic in log.topics], log.data.hex()) for log in logs]
    task = {"state": pool.to_json(), "logs": told, "rounds": ROUNDS}
    found = peers.ask_python("degenbot", DEGENBOT_PROGRAM, ("follow", task))
    _require_state(found["state"], fresh)
    return float(found["per_second"])


def _require_state(found: dict[str, Any], pool: UniswapV3Pool) -> None:
    ours = pool.to_json()
    if found != {name: ours[name] for name in found}:
        raise AssertionError("degenbot comes to another state")


async def _load(node: Node, address: Address) -> tuple[UniswapV3Pool, float]:
    """Return a pool and the median time of reading it in one call, its tokens known."""
    pool = await node.perform(read_v3_pool(address), block := await node.get_block())
    assert len(pool.curve.ticks.indexes) >= TICKS
    known = {token.address: token for token in pool.tokens}
    times = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        again = await node.perform(read_v3_pool(address, known, SPACING), block)
        times.append(time.perf_counter() - begun)
        assert again == pool
    return pool, statistics.median(times) * 1_000


def _follow(pool: UniswapV3Pool, logs: tuple[Log, ...], fresh: UniswapV3Pool) -> float:
    """Return how many events a second are applied, block by block, to the state of a fresh read."""
    blocks = [
        (BlockRef(1337, number, str(number), 0, 0, 0), tuple(found))
        for number, found in groupby(logs, key=lambda log: log.block_number)
    ]
    history = PoolHistory([pool], depth=512)
    begun = time.process_time()
    for block, found in blocks:
        history.apply(block, found)
    taken = time.process_time() - begun
    assert history.pools[pool.key] == fresh
    return len(logs) / taken


async def _measure_memory(sandbox: Sandbox) -> float:
    """Return what many pools take in MB, each with integers of its own, none quoted yet."""
    node = await Node.connect(sandbox.url)
    names = [parse_pool_name(key) for key in sandbox.deployment.pools if key.startswith("uniswap_v3")]
    seeded = (await read_named_pools(node, names, await node.get_block())).pools
    await node.close()
    states = [(pool.to_json(), pool.tokens) for pool in seeded]
    tracemalloc.start()
    pools = [pool_from_json(*states[index % len(states)]) for index in range(LOADED)]
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(pools) == LOADED
    return taken / 1e6
