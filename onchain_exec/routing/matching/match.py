"""The batch that gains its owners the most: found in floats, settled in exact integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from onchain_exec.core import Address
from onchain_exec.routing.matching.book import BookOrder
from onchain_exec.routing.matching.exact import MatchedFill, Settled, settle_match
from onchain_exec.routing.matching.program import Exchange, Solution
from onchain_exec.routing.solver.network import Network
from onchain_exec.venues import Hop, PoolSet

_MARGINS: Final = (1e-8, 1e-6, 1e-4)
"""Of a middling order, left over of each token for rounding to use up, where without it one is short."""


@dataclass(frozen=True, slots=True)
class Match:
    """Fills that fit together, with what the pools trade in between, in the order they run.

    ``gain`` is what the owners get beyond their limits and ``bound`` what no match of the same book and
    pools gives them more than, counting of each at most ten times what it buys or sells; both in units of
    the reference prices. ``left`` is what nobody can be given: rounding, and what comes over of tokens that
    nobody buys; base units by token.
    """

    fills: tuple[MatchedFill, ...]
    hops: tuple[Hop, ...]
    gain: float
    bound: float
    left: Mapping[Address, int]


def find_match(
    book: Sequence[BookOrder],
    pools: PoolSet | Network,
    prices: Mapping[Address, float],
) -> Match:
    """Return the match of ``book`` with itself and with ``pools`` that gains its owners the most.

    ``prices`` are what a base unit of each token is worth in any one unit: they say what a gain in one
    token is against a gain in another, and nothing else. Limits hold to the unit; what is over is divided
    among those who buy the token, in proportion. A pool of several tokens serves one flow where several
    would fall short of what they promise.

    Raises:
        InputError: a token without a price.
    """
    network = pools if isinstance(pools, Network) else Network.build(pools)
    if not book:
        return Match((), (), 0.0, 0.0, {})
    solution, settled = _solve(book, network, prices)
    bound = solution.bound
    while settled is None and (fewer := _part_shared(network, solution, prices)) is not None:
        network = fewer
        solution, settled = _solve(book, network, prices)
    fills, hops, left = settled or ((), (), {})
    gain = sum(get_gain(fill, prices) for fill in fills)
    return Match(fills, hops, gain, bound, left)


def _solve(
    book: Sequence[BookOrder], network: Network, prices: Mapping[Address, float]
) -> tuple[Solution, Settled | None]:
    """Return the best match in floats and in integers, or None for the latter where they fall short."""
    exchange = Exchange(book, network, prices)
    solution = exchange.solve()
    settled = settle_match(book, network, solution)
    for margin in _MARGINS:
        if settled is None:
            settled = settle_match(book, network, exchange.spare(solution, margin))
    return solution, settled


def _part_shared(network: Network, solution: Solution, prices: Mapping[Address, float]) -> Network | None:
    """Return the network in which every pool that has several flows keeps the edge of the largest only, or
    None without such pools: flows that share a pool get less than each would alone."""
    edges, largest = network.edges, dict[int, tuple[float, int]]()
    pools = [int(edges.pool[edge]) for edge, _ in solution.flows]
    for pool, (edge, amount) in zip(pools, solution.flows, strict=True):
        value = amount * prices[network.tokens[edges.source[edge]].address]
        largest[pool] = max(largest.get(pool, (0.0, edge)), (value, edge))
    shared = {pool: largest[pool][1] for pool in pools if pools.count(pool) > 1}
    if not shared:
        return None
    kept = [edge for edge, pool in enumerate(edges.pool.tolist()) if shared.get(pool, edge) == edge]
    return replace(network, edges=edges.take(np.array(kept, np.intp)))


def get_gain(fill: MatchedFill, prices: Mapping[Address, float]) -> float:
    """Return what the owner has over its limit: more of what it buys, or less of what it pays."""
    order = fill.entry.order
    if order.is_exact_out:
        saved = order.amount_in * fill.amount_out / order.amount_out - fill.amount_in
        return saved * prices[order.token_in]
    return (fill.amount_out - order.amount_out * fill.amount_in / order.amount_in) * prices[order.token_out]
