"""Which orders of a book can stand in one batch, and what their tokens are worth to one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Final, NamedTuple

from onchain_exec.clearing.settle import SettleOrder
from onchain_exec.clearing.settle.verification import Verified
from onchain_exec.core import Address
from onchain_exec.errors import PoolRevertError
from onchain_exec.routing.matching.book import BookOrder
from onchain_exec.venues import Pool

_IMPACT_BPS: Final = 100


def select_orders(verified: Iterable[Verified]) -> tuple[BookOrder, ...]:
    """Return the orders that a batch may fill side by side, those that came first first.

    On a lane it is the one with the lowest seq: filling another would kill it. What an owner has of a
    token goes to its orders in turn; one that is to be whole and for which too little is left waits.
    """
    first: dict[tuple[Address, int], Verified] = {}
    for found in verified:
        order = found.resting.order
        lane = order.owner, order.lane
        if lane not in first or order.seq < first[lane].resting.order.seq:
            first[lane] = found
    spent, selected = Counter[tuple[Address, Address]](), list[BookOrder]()
    for found in first.values():
        order = found.resting.order
        purse = order.owner, order.token_in
        left = replace(found, balance=found.balance - spent[purse], allowance=found.allowance - spent[purse])
        remaining = left.remaining
        if remaining <= 0 or (remaining < order.size and BookOrder(order, remaining).must_fill):
            continue
        selected.append(BookOrder(order, remaining))
        spent[purse] += selected[-1].most_in
    return tuple(selected)


def find_prices(orders: Sequence[SettleOrder], pools: Iterable[Pool], unit: Address) -> dict[Address, float]:
    """Return what a base unit of each token of the orders is worth in base units of ``unit``.

    The pool that is hardest to move tells it, step by step from ``unit``; of tokens without pools the
    limit of an order that trades them for another. What nothing leads to is worth one, and weighs
    against what trades with it alone.
    """
    edges = [*_list_spots(pools), *_list_limits(orders)]
    tokens = {token for order in orders for token in (order.token_in, order.token_out)}
    tokens |= {token.address for pool in pools for token in pool.tokens}
    prices, unpriced = {unit: 1.0}, tokens - {unit}
    while unpriced:
        known = [edge for edge in edges if edge.source in prices and edge.target not in prices]
        if known:
            best = max(known, key=lambda edge: edge.depth * prices[edge.source])
            prices[best.target] = prices[best.source] / best.spot
        else:
            prices[min(unpriced)] = 1.0
        unpriced -= prices.keys()
    return prices


class _Edge(NamedTuple):
    """``spot`` base units of target for one of source, until ``depth`` of source are sold."""

    source: Address
    target: Address
    spot: float
    depth: float


def _list_spots(pools: Iterable[Pool]) -> Iterator[_Edge]:
    for pool in pools:
        for source, target in permutations(pool.tokens, 2):
            try:
                depth, spot = pool.depth(source, target, _IMPACT_BPS), pool.spot_price(source, target)
            except PoolRevertError:
                continue
            if depth and spot:
                yield _Edge(source.address, target.address, float(spot), float(depth))


def _list_limits(orders: Iterable[SettleOrder]) -> Iterator[_Edge]:
    for order in orders:
        spot = order.amount_out / order.amount_in
        yield _Edge(order.token_in, order.token_out, spot, 0.0)
        yield _Edge(order.token_out, order.token_in, 1 / spot, 0.0)
