"""Runs in degenbot's environment: a v3 pool loaded from a node, or led along by its events.

The task is on stdin, what it took on stdout, with the state that came of it.
"""

import json
import statistics
import sys
import time
from typing import Any

from degenbot.config import connection_manager
from degenbot.registry.all_pools import pool_registry
from degenbot.uniswap.types import UniswapV3PoolExternalUpdate
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool
from degenbot_pools import make_v3
from eth_abi.abi import decode
from eth_utils.crypto import keccak
from web3 import Web3

SWAP = keccak(text="Swap(address,address,int256,int256,uint160,uint128,int24)")
MINT = keccak(text="Mint(address,address,int24,int24,uint128,uint256,uint256)")


def load(url: str, address: str, words: list[int], rounds: int) -> dict[str, Any]:
    """Return the median milliseconds of making the pool and fetching the words that hold its ticks."""
    web3 = Web3(Web3.HTTPProvider(url))
    connection_manager.register_web3(web3)
    connection_manager.set_default_chain(web3.eth.chain_id)
    times = []
    for _ in range(rounds):
        pool_registry.remove(address, web3.eth.chain_id)
        begun = time.perf_counter()
        pool = UniswapV3Pool(address, silent=True)
        for word in words:
            if word not in pool.tick_bitmap:
                pool._fetch_tick_data_at_word(word, pool.update_block)
        times.append(time.perf_counter() - begun)
    return {"ms": statistics.median(times) * 1_000, "state": describe(pool)}


def follow(state: dict[str, Any], logs: list[list[Any]], rounds: int) -> dict[str, Any]:
    """Return how many events a second are decoded and applied, by CPU time: the best of some rounds."""
    found = [
        (block, [bytes.fromhex(topic) for topic in topics], bytes.fromhex(data))
        for block, topics, data in logs
    ]
    best = 0.0
    for _ in range(rounds):
        pool = make_v3(state)
        begun = time.process_time()
        for block, topics, data in found:
            pool.external_update(read_update(block, topics, data))
        best = max(best, len(found) / (time.process_time() - begun))
    return {"per_second": best, "state": describe(pool)}


def read_update(block: int, topics: list[bytes], data: bytes) -> UniswapV3PoolExternalUpdate:
    """Return what an event tells."""
    if topics[0] == SWAP:
        _, _, price, liquidity, tick = decode(("int256", "int256", "uint160", "uint128", "int24"), data)
        return UniswapV3PoolExternalUpdate(block, liquidity=liquidity, sqrt_price_x96=price, tick=tick)
    lower, upper = (decode(("int24",), topic)[0] for topic in topics[2:])
    if topics[0] == MINT:
        change = decode(("address", "uint128", "uint256", "uint256"), data)[1]
    else:
        change = -decode(("uint128", "uint256", "uint256"), data)[0]
    return UniswapV3PoolExternalUpdate(block, liquidity_change=(change, lower, upper))


def describe(pool: UniswapV3Pool) -> dict[str, Any]:
    """Return the state as our own pools write it."""
    ticks = sorted(pool.tick_data.items())
    return {
        "sqrt_price_x96": str(pool.sqrt_price_x96),
        "tick": str(pool.tick),
        "liquidity": str(pool.liquidity),
        "ticks": [[str(tick), str(held.liquidity_net)] for tick, held in ticks],
        "liquidity_gross": [str(held.liquidity_gross) for _, held in ticks],
    }


task, arguments = json.load(sys.stdin)
json.dump({"load": load, "follow": follow}[task](**arguments), sys.stdout)
