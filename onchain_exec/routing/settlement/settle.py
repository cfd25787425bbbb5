"""From float flows to exact integers.

Each token's exact balance is divided by the float shares and the largest flow takes the rest, so
nothing is lost on the way and each hop costs less than a unit beside its contract's rounding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Final

import numpy as np

from onchain_exec.core import Address, Exact
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.market import SHARE_BITS, Market, RefusedError, Settlement
from onchain_exec.routing.route import Shape
from onchain_exec.routing.settlement.flow import Flow, Flows
from onchain_exec.routing.settlement.paths import settle_paths
from onchain_exec.venues import Hop, Leg

_MOST_ROUNDS: Final = 60


def settle(basket: Basket, flows: Flows, shape: Shape) -> Settlement:
    """Return ``flows`` in exact integers, for an executor of ``shape``.

    A pool of several tokens may be on several flows. Its swaps then run in the order in which they were
    computed. An exact amount out is computed from the end, but runs from the start: there a pool
    serves one flow only.

    Of an exact amount out each hop takes the least that gives what the next one needs. Where a unit in is
    worth several out, that least gives a little more if the contract is told what goes in, as Curve and
    Solidly must be, and as the Router tells every hop but the first: those pass on what they got, so that
    a market that moved meanwhile leaves nothing behind. The last hop may then give a few units more than
    the order, never fewer.

    Raises:
        RefusedError: a pool would revert on its part, or has another flow already.
    """
    shared = _find_shared(flows)
    if shared is not None and basket.exact is Exact.OUT:
        raise RefusedError(shared.pool, shared.edge)
    if flows.order is None:
        return _settle_together(basket, flows.each)
    market = Market(basket.exact)
    hops = _run_graph(market, basket, flows, flows.order, last=shared is None)
    passing = flows.passing - {basket.priced.address, *basket.fixed} if shared is None else ()
    legs = _join(hops, passing)
    if shape is Shape.GRAPH or all(_is_whole(leg, basket) for leg in legs):
        return market.settle(legs)
    order = [flows.tokens[place].address for place in flows.order]
    return settle_paths(basket, flows.each, order, hops)


def _find_shared(flows: Flows) -> Flow | None:
    """Return the smallest flow whose pool has a larger one, if there is such."""
    if len(set(flows.pool.tolist())) == len(flows.pool):
        return None
    seen: set[int] = set()
    shared: Flow | None = None
    for flow in sorted(flows.each, key=lambda flow: -flow.value):
        if id(flow.pool) in seen:
            shared = flow
        seen.add(id(flow.pool))
    return shared


def _is_whole(leg: Leg, basket: Basket) -> bool:
    first, last = leg.hops[0].token_in, leg.hops[-1].token_out
    (token_in,), (token_out,) = basket.tokens_in, basket.tokens_out
    return first.address == token_in.address and last.address == token_out.address


def _join(hops: Sequence[Hop], passing: Collection[Address]) -> list[Leg]:
    """Return the hops as chains: through tokens that are ``passing`` one continues the only one before it."""
    if not passing:
        return [Leg((hop,)) for hop in hops]
    between = {hop.token_in.address: hop for hop in hops if hop.token_in.address in passing}
    legs: list[Leg] = []
    for hop in hops:
        if hop.token_in.address not in between:
            chain: tuple[Hop, ...] = (hop,)
            while following := between.get(chain[-1].token_out.address):
                chain = (*chain, following)
            legs.append(Leg(chain))
    return legs


def _run_graph(
    market: Market, basket: Basket, flows: Flows, order: Sequence[int], *, last: bool
) -> list[Hop]:
    """Run the flows token by token in topological ``order``; Exact.OUT runs it backwards, from what
    has to come out to what that takes. Of the flows of a token the largest comes last. ``last`` says that
    each has a pool of its own."""
    forwards, fixed = basket.exact is Exact.IN, basket.fixed
    if forwards:
        token, amount, counts = flows.source, flows.amount_in, flows.leaving
    else:
        token, amount, counts, order = flows.target, flows.amount_out, flows.arriving, order[::-1]
    rank = np.zeros(len(counts), np.intp)
    rank[order] = np.arange(len(order))
    arranged = np.lexsort((amount, rank[token]))
    share = amount / np.bincount(token, amount)[token]
    shares = iter((share[arranged] * 2.0**SHARE_BITS).astype(np.int64).tolist())
    columns = flows.swaps(arranged)
    hops: list[Hop] = []
    for place, count in zip(order, counts[order].tolist(), strict=True):
        if count:
            address = flows.tokens[place].address
            at_hand = fixed.get(address, 0) + abs(market.left[address])  # backwards they owe it
            amounts = _divide_among(at_hand, islice(shares, count))
            hops += market.swap_all(zip(amounts, *columns, strict=False), last=last)
    return hops if forwards else hops[::-1]


def _divide_among(amount: int, shares: Iterable[int]) -> list[int]:
    """Return the parts of ``amount``, at least a unit each; the last takes the rest."""
    left, parts = amount, list[int]()
    for share in shares:
        part = amount * share >> SHARE_BITS or 1
        part = part if part < left else left
        left -= part
        parts.append(part)
    parts[-1] += left
    return parts


def _settle_together(basket: Basket, flows: Sequence[Flow]) -> Settlement:
    """Run flows that form cycles as one batch, in which what is owed is paid at the end.

    Each takes its float amount, rounded; then what a token owes is taken off its largest flow, until
    no token but the priced one is short, and just what the basket sells is spent.

    Raises:
        RefusedError: a pool would revert on its part, or the batch does not come out even.
    """
    sold, end = basket.fixed, basket.priced.address
    amounts = [int(flow.amount_in) for flow in flows]
    for _ in range(_MOST_ROUNDS):
        market = Market(Exact.IN)
        hops = [market.swap(flow, amount) for flow, amount in zip(flows, amounts, strict=True)]
        balance = Counter(market.left)
        balance.update(sold)
        uneven = [token for token, left in balance.items() if token != end and (left < 0 or token in sold)]
        if not any(balance[token] for token in uneven):
            return market.settle([Leg((hop,)) for hop in hops])
        for token in uneven:
            largest = max(
                range(len(flows)), key=lambda n: amounts[n] if flows[n].token_in.address == token else -1
            )
            amounts[largest] += balance[token]
    least = min(flows, key=lambda flow: flow.value)
    raise RefusedError(least.pool, least.edge)
