"""Synthetic books of signed orders around the prices of a market of pools."""

from __future__ import annotations

import random

from benchmarks.pool_graphs import Market
from onchain_exec.clearing.settle import SettleOrder
from onchain_exec.core import Address, to_address
from onchain_exec.routing.matching import BookOrder
from onchain_exec.routing.solver.network import Network
from onchain_exec.venues import PoolSet

UNIT = 10**18


def random_book(
    count: int, market: Market, seed: int
) -> tuple[list[BookOrder], Network, dict[Address, float]]:
    """Return ``count`` orders of 100 to 30,000 units of value, at limits from two percent below the market
    to half a percent above, with the pools that have a price and the prices."""
    dice, prices = random.Random(seed), get_prices(market)
    tokens, book = sorted(prices), []
    for number in range(count):
        sells, buys = dice.sample(tokens, 2)
        amount_in = int(10 ** dice.uniform(2, 4.5) / prices[sells] * UNIT)
        amount_out = int(amount_in * prices[sells] / prices[buys] * dice.uniform(0.98, 1.005))
        owner = to_address((number + 1).to_bytes(20, "big"))
        order = SettleOrder(owner, sells, buys, amount_in, amount_out, deadline_at=2**32 - 1, seq=1)
        book.append(BookOrder(order, order.size))
    pools = tuple(p for p in market.pools.pools if all(token.address in prices for token in p.tokens))
    return book, Network.build(PoolSet(market.pools.block, pools)), prices


def get_prices(market: Market) -> dict[Address, float]:
    """Return what a unit of each token is worth in the first one's, along the pools."""
    prices = {market.token_in.address: 1.0}
    before = 0
    while len(prices) > before:
        before = len(prices)
        for pool in market.pools.pools:
            first, second = (token.address for token in pool.tokens)
            rate = pool.spot_price(*pool.tokens)
            if first in prices and second not in prices:
                prices[second] = prices[first] / rate
            elif second in prices and first not in prices:
                prices[first] = prices[second] * rate
    return prices
