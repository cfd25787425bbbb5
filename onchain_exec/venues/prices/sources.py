"""What pools, means and feeds say of a pair, as sources of one consolidated price."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from onchain_exec.core import Reading, Token, all_of
from onchain_exec.errors import InputError, PoolRevertError, StateError
from onchain_exec.pricing import PriceSource, SourceKind
from onchain_exec.venues.pool import Pool
from onchain_exec.venues.prices.feed import Feed, read_feed, refuse_round
from onchain_exec.venues.prices.twap import read_twap
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

_WEIGHED_BPS: Final = 100
"""A pool weighs what moves its price by 1 %: what lies far off the price protects nobody."""


def find_pool_sources(pools: Iterable[Pool], token_in: Token, token_out: Token) -> tuple[PriceSource, ...]:
    """Return the prices of the pools at their block, weighed by what moves them, in base units of
    token_in."""
    return tuple(_weigh(pool, token_in, token_out) for pool in pools)


def read_twap_source(
    pool: UniswapV3Pool, token_in: Token, token_out: Token, window_s: int
) -> Reading[PriceSource]:
    """Read a pool's mean price over ``window_s``; refused where it keeps no observation so old.

    It weighs what the pool itself does, at most: liquidity that is new did not hold the price before.
    """
    name = f"{pool.key} over {window_s} s"
    weight = _weigh(pool, token_in, token_out).weight
    try:
        twap = yield from read_twap(pool, window_s)
    except StateError as error:
        return PriceSource(SourceKind.TWAP, name, None, weight, refusal=error.found)
    if pool.curve.liquidity:
        weight = min(weight, weight * twap.mean_liquidity // pool.curve.liquidity)
    return PriceSource(SourceKind.TWAP, name, twap.get_price(token_in, token_out), weight, window_s // 2)


def read_feed_source(
    feed_in: Feed, feed_out: Feed, token_in: Token, token_out: Token
) -> Reading[PriceSource]:
    """Read what two feeds in the same unit (dollars) say; refused where either is not to be traded on.

    It is as old as the older of the two.
    """
    name = f"{token_in}/{token_out} of {feed_in.address} and {feed_out.address}"
    try:
        rounds = yield from all_of([read_feed(feed_in), read_feed(feed_out)])
    except InputError as error:
        return PriceSource(SourceKind.FEED, name, None, refusal=error.found)
    age_s = max(found.age_s for found in rounds)
    for token, feed, found in zip((token_in, token_out), (feed_in, feed_out), rounds, strict=True):
        if refusal := refuse_round(found, feed):
            return PriceSource(SourceKind.FEED, name, None, 1, age_s, f"the feed of {token}: {refusal}")
    whole = rounds[0].price / rounds[1].price
    price = whole * Fraction(10**token_out.decimals, 10**token_in.decimals)
    return PriceSource(SourceKind.FEED, name, price, 1, age_s)


def _weigh(pool: Pool, token_in: Token, token_out: Token) -> PriceSource:
    try:
        weight = pool.depth(token_in, token_out, _WEIGHED_BPS)
        return PriceSource(SourceKind.POOL, pool.key, pool.spot_price(token_in, token_out), weight, 0)
    except PoolRevertError as error:
        return PriceSource(SourceKind.POOL, pool.key, None, 0, 0, str(error.reason or error.found))
