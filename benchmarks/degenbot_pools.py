"""Runs in degenbot's environment: its v3 pool of a state, without the constructor, which reads a node."""

from threading import Lock
from typing import Any

from degenbot.types import BoundedCache
from degenbot.uniswap.types import UniswapV3BitmapAtWord, UniswapV3LiquidityAtTick, UniswapV3PoolState
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool

ADDRESS = "0x0000000000000000000000000000000000000000"


def make_v3(state: dict[str, Any]) -> UniswapV3Pool:
    """Return the pool with its full tick map; where the gross liquidity is not given, the net stands in."""
    pool = object.__new__(UniswapV3Pool)
    spacing = int(state["tick_spacing"])
    ticks = [(int(tick), int(net)) for tick, net in state["ticks"]]
    gross = [int(amount) for amount in state.get("liquidity_gross", [abs(net) for _, net in ticks])]
    words: dict[int, int] = {}
    for tick, _ in ticks:
        word, bit = divmod(tick // spacing, 256)
        words[word] = words.get(word, 0) | 1 << bit
    pool.address, pool.token0, pool.token1 = ADDRESS, "token0", "token1"
    pool.fee, pool.tick_spacing, pool.sparse_liquidity_map = int(state["fee_pips"]), spacing, False
    pool._state_lock, pool._subscribers, pool._update_block = Lock(), set(), 0
    pool._state_cache = BoundedCache(max_items=128)
    pool._state = UniswapV3PoolState(
        pool=ADDRESS,
        liquidity=int(state["liquidity"]),
        sqrt_price_x96=int(state["sqrt_price_x96"]),
        tick=int(state["tick"]),
        tick_bitmap={word: UniswapV3BitmapAtWord(bitmap) for word, bitmap in words.items()},
        tick_data={
            tick: UniswapV3LiquidityAtTick(net, amount)
            for (tick, net), amount in zip(ticks, gross, strict=True)
        },
    )
    return pool
