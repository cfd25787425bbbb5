"""The same swap by the method of Uniswap's smart order router: whole paths on a grid of five percent.

Every path of up to three hops is quoted for each twentieth of the amount; then combinations of at most
seven paths that share no pool are searched breadth first, each step taking the best path that is left
for its part (``best-swap-route.ts`` of @uniswap/smart-order-router). Its choice of pools by value locked
is left out, in its favour.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from benchmarks.pool_graphs import Market
from onchain_exec.core import Address, Exact
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues import Pool

PERCENTS = tuple(range(5, 101, 5))
MOST_HOPS = 3
MOST_SPLITS = 7
ENOUGH_SPLITS = 3


class Quoted(NamedTuple):
    amount_out: int
    pools: frozenset[str]


class Partial(NamedTuple):
    """Paths taken so far: what they give, the pools they use, the percent left and the last part."""

    amount_out: int
    pools: frozenset[str]
    left: int
    place: int


def solve_percent_split(market: Market) -> tuple[float, float]:
    """Return (milliseconds of CPU, amount out); finding the paths is not timed, as their quoters are kept."""
    paths = list(_paths(market))
    start = time.process_time()
    quotes = [_quote_all(paths, market.amount * percent // 100) for percent in PERCENTS]
    best = _combine(quotes)
    return (time.process_time() - start) * 1e3, float(best)


def _paths(market: Market) -> Iterator[tuple[list[Callable[[int], int]], frozenset[str]]]:
    """Yield the quoters and pools of every path without a token or pool twice."""
    pools_of: dict[Address, list[Pool]] = defaultdict(list)
    for pool in market.pools.pools:
        for token in pool.tokens:
            pools_of[token.address].append(pool)
    begun = [((market.token_in,), ())]
    while begun:
        tokens, pools = begun.pop()
        for pool in pools_of[tokens[-1].address]:
            (following,) = (token for token in pool.tokens if token != tokens[-1])
            chain = (*pools, pool)
            if following == market.token_out:
                sides = zip(chain, pairwise((*tokens, following)), strict=True)
                quoters = [each.quoter(*pair, Exact.IN) for each, pair in sides]
                yield quoters, frozenset(each.key for each in chain)
            elif following not in tokens and len(chain) < MOST_HOPS:
                begun.append(((*tokens, following), chain))


def _quote_all(
    paths: list[tuple[list[Callable[[int], int]], frozenset[str]]], amount_in: int
) -> list[Quoted]:
    """Return what the paths give for ``amount_in``, the best first."""
    quotes = []
    for quoters, pools in paths:
        amount = amount_in
        try:
            for quote in quoters:
                amount = quote(amount)
        except PoolRevertError:
            continue
        quotes.append(Quoted(amount, pools))
    return sorted(quotes, key=lambda quoted: -quoted.amount_out)


def _combine(quotes: list[list[Quoted]]) -> int:
    best, best_splits = (quotes[-1][0].amount_out if quotes[-1] else 0), 1
    layer = [
        Partial(*quoted, 100 - PERCENTS[place], place)
        for place in range(len(PERCENTS) - 1)
        for quoted in quotes[place][:2]
    ]
    for splits in range(2, MOST_SPLITS + 1):
        if splits > ENOUGH_SPLITS and best_splits < splits - 1:
            break  # a further path did not help
        following = []
        for partial in layer:
            for place in range(partial.place + 1):
                left = partial.left - PERCENTS[place]
                if left < 0:
                    break
                found = next((q for q in quotes[place] if not q.pools & partial.pools), None)
                if found is None:
                    continue
                total = partial.amount_out + found.amount_out
                if left:
                    following.append(Partial(total, partial.pools | found.pools, left, place))
                elif total > best:
                    best, best_splits = total, splits
        layer = following
    return best
