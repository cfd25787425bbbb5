"""From the orders that can stand in a batch to the call that settles the best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onchain_exec.clearing.settle import Signed
from onchain_exec.core import Address
from onchain_exec.errors import NoRouteError
from onchain_exec.routing.matching.book import BookOrder
from onchain_exec.routing.matching.match import Match, find_match, get_gain
from onchain_exec.routing.matching.selection import find_prices
from onchain_exec.routing.matching.settlement import SolverTerms, build_settlement
from onchain_exec.routing.matching.solver_call import SolverCall
from onchain_exec.venues import PoolSet


@dataclass(frozen=True, slots=True)
class Solved:
    """A match and the call that settles it, None where nothing matches. ``income`` is what the solver keeps,
    fees and what nobody can be given, in base units of the token in which gains are weighed."""

    match: Match
    call: SolverCall | None
    income: float


def solve(
    book: Mapping[BookOrder, Signed], pools: PoolSet, unit: Address, terms: SolverTerms, most_orders: int
) -> Solved:
    """Return the match of a book that gains its owners the most, of no more than ``most_orders``, settled.

    ``unit`` is the token in which gains are weighed. More orders than may be are left to those that gain
    the most. Where the pools lead round through more than the orders sell, these meet without pools.

    Raises:
        InputError: the router does not reach a pool.
    """
    words = {entry.order: signed for entry, signed in book.items()}
    prices = find_prices(list(words), pools.pools, unit)
    match = _match_most(list(book), pools, prices, most_orders)
    try:
        call = build_settlement(match, words, terms)
    except NoRouteError:
        match = _match_most(list(book), PoolSet(pools.block, ()), prices, most_orders)
        call = build_settlement(match, words, terms)
    fees = sum(fill.fee * prices[fill.order.token_out] for fill in call.batch.fills)
    left = sum(amount * prices[token] for token, amount in match.left.items())
    return Solved(match, call if match.fills else None, fees + left)


def _match_most(
    entries: Sequence[BookOrder], pools: PoolSet, prices: Mapping[Address, float], most_orders: int
) -> Match:
    match = find_match(entries, pools, prices)
    if len(match.fills) <= most_orders:
        return match
    best = sorted(match.fills, key=lambda fill: get_gain(fill, prices), reverse=True)[:most_orders]
    return find_match([fill.entry for fill in best], pools, prices)
