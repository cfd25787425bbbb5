"""Runs in degenbot's environment: quotes of the pools given on stdin, per second, on stdout.

The pools are made without their constructors, which read a node; what is timed is the public quote.
"""

import json
import sys
import time
from fractions import Fraction
from typing import Any

from degenbot.uniswap.types import UniswapV2PoolState
from degenbot.uniswap.v2_liquidity_pool import UniswapV2Pool
from degenbot.uniswap.v3_liquidity_pool import UniswapV3Pool
from degenbot_pools import ADDRESS, make_v3


def make_v2(state: dict[str, Any]) -> UniswapV2Pool:
    """Return the pair."""
    pool = object.__new__(UniswapV2Pool)
    pool.token0, pool.token1 = "token0", "token1"
    pool.fee_token0 = pool.fee_token1 = Fraction(int(state["fee_pips"]), 1_000_000)
    reserve0, reserve1 = (int(reserve) for reserve in state["reserves"])
    pool._state = UniswapV2PoolState(pool=ADDRESS, reserves_token0=reserve0, reserves_token1=reserve1)
    return pool


def measure(pool: UniswapV2Pool | UniswapV3Pool, texts: list[str]) -> dict[str, Any]:
    """Return the answers, and quotes per second: the best of three rounds."""
    amounts = [int(text) for text in texts]
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        answers = [pool.calculate_tokens_out_from_tokens_in("token0", amount) for amount in amounts]
        best = max(best, len(amounts) / (time.process_time() - start))
    return {"answers": [str(answer) for answer in answers], "per_second": best}


request = json.load(sys.stdin)
pools = {"v3": make_v3(request["v3"]), "v2": make_v2(request["v2"])}
json.dump(
    {name: measure(pools[name[:2]], amounts) for name, amounts in request["amounts"].items()}, sys.stdout
)
