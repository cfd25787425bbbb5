"""Synthetic markets of exact pools: random graphs and hub graphs, with constant product or v3 pools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from onchain_exec.core import Address, BlockRef, Token, to_address
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

BLOCK = BlockRef(1, 1, "0x" + "11" * 32, 1_700_000_000, 0, 0)
SPACING = 60
HUBS = 6
DEAREST = 2.0**111 / 1e18
"""Whole tokens: a pair counts its reserves in 112 bits."""


@dataclass(frozen=True)
class Market:
    """Pools, and two tokens to trade: ``amount`` base units of ``token_in`` are worth as much as one side
    of a middling pool."""

    pools: PoolSet
    token_in: Token
    token_out: Token
    amount: int


def random_graph(count: int, seed: int, v3_share: float = 0.0) -> Market:
    """``count`` pools between 2 * sqrt(count) tokens: prices within a decade, a tenth of a percent off."""
    random = np.random.default_rng(seed)
    size = round(2 * count**0.5)

    def pick() -> tuple[int, int]:
        return tuple(random.choice(size, 2, replace=False).tolist())

    return _market(random, count, np.exp(random.normal(size=size)), pick, 2.0, v3_share)


def hub_graph(count: int, seed: int) -> Market:
    """``count`` pools between count / 2 tokens: nine in ten touch one of six hubs, prices range over 14
    decades, values over ``exp(3 * normal)``."""
    random = np.random.default_rng(seed)
    size = max(HUBS + 2, count // 2)

    def pick() -> tuple[int, int]:
        first = int(random.integers(HUBS) if random.random() < 0.9 else random.integers(size))
        return first, (first + 1 + int(random.integers(size - 1))) % size

    return _market(random, count, 10 ** random.uniform(-7, 7, size), pick, 3.0, 0.0)


def _market(
    random: np.random.Generator,
    count: int,
    prices: np.ndarray,
    pick: Callable[[], tuple[int, int]],
    spread: float,
    v3_share: float,
) -> Market:
    tokens = [Token(1, to_address((n + 1).to_bytes(20, "big")), f"T{n}", 18) for n in range(len(prices))]
    pools: list[Pool] = []
    for number in range(count):
        # the first two pools connect the traded tokens
        pair = (0, 1) if number < 2 else pick()
        low, high = sorted(pair)
        value = min(1e6 * np.exp(spread * random.normal()), DEAREST * min(prices[low], prices[high]))
        price = prices[low] / prices[high] * np.exp(1e-3 * random.normal())
        address = to_address((2**80 + number).to_bytes(20, "big"))
        reserve = value / prices[low] * 1e18
        if random.random() < v3_share:
            pools.append(_v3_pool(random, address, (tokens[low], tokens[high]), reserve, price))
        else:
            pools.append(
                UniswapV2Pool(address, tokens[low], tokens[high], int(reserve), int(reserve * price))
            )
    return Market(PoolSet(BLOCK, tuple(pools)), tokens[0], tokens[1], int(1e6 / prices[0] * 1e18))


def _v3_pool(
    random: np.random.Generator, address: Address, tokens: tuple[Token, Token], reserve: float, price: float
) -> UniswapV3Pool:
    """A pool of 100 initialised ticks around its price, ten times as deep as its reserves."""
    tick = int(np.log(price) / np.log(1.0001))
    middle = tick // SPACING
    lower = sorted({middle - int(step) for step in random.integers(0, 400, 80)})[:50]
    upper = sorted({middle + 1 + int(step) for step in random.integers(0, 400, 80)})[-50:]
    depth = int(10 * reserve * price**0.5 / 50)
    pairs = list(zip(lower, upper, strict=False))
    nets: dict[int, int] = {}
    for low, high in pairs:
        nets[low * SPACING] = nets.get(low * SPACING, 0) + depth
        nets[high * SPACING] = nets.get(high * SPACING, 0) - depth
    ticks = Ticks(SPACING, tuple(sorted(nets)), tuple(nets[index] for index in sorted(nets)))
    curve = Curve(get_sqrt_price_at_tick(tick) + 1, tick, ticks.get_liquidity(tick), 3_000, ticks)
    return UniswapV3Pool(address, *tokens, curve)
