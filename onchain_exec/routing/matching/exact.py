"""A float match in exact integers: limits to the unit, pools by their own arithmetic, nothing missing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from onchain_exec.core import Address, Exact
from onchain_exec.errors import PoolRevertError
from onchain_exec.routing.market import Market, RefusedError
from onchain_exec.routing.matching.book import BookOrder
from onchain_exec.routing.matching.program import Solution
from onchain_exec.routing.settlement.flow import Flow, order_tokens
from onchain_exec.routing.solver.network import Network
from onchain_exec.venues import Hop

_TRIFLE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class MatchedFill:
    """What of an order is filled, base units."""

    entry: BookOrder
    amount_in: int
    amount_out: int


@dataclass(frozen=True, slots=True)
class _Trades:
    """Fills at their limits, what the pools do, and what comes of both."""

    fills: tuple[MatchedFill, ...]
    hops: tuple[Hop, ...]
    balance: Mapping[Address, int]


Settled: TypeAlias = tuple[tuple[MatchedFill, ...], tuple[Hop, ...], dict[Address, int]]
"""The fills, the pools' swaps in an order in which each finds its input, and what is left."""


def settle_match(book: Sequence[BookOrder], network: Network, solution: Solution) -> Settled | None:
    """Return the match in exact integers, or None where rounding leaves a token short."""
    fills = tuple(
        fill
        for entry, share in zip(book, solution.shares.tolist(), strict=True)
        if share > _TRIFLE and (fill := _at_limit(entry, share)) is not None
    )
    trades = _trim(_trade(fills, _list_flows(network, solution)))
    return None if any(left < 0 for left in trades.balance.values()) else _divide(trades)


def _at_limit(entry: BookOrder, share: float) -> MatchedFill | None:
    """Return the fill of a share of what remains, at the order's own price."""
    if entry.must_fill:
        share = round(share)
    return _fill(entry, entry.remaining if share == 1 else int(entry.remaining * share))


def _fill(entry: BookOrder, amount: int) -> MatchedFill | None:
    """Return the fill of ``amount`` in what the order counts in, or None where nothing is left of it."""
    if entry.order.is_exact_out:
        amount_in, amount_out = entry.get_most_in(amount), amount
    else:
        amount_in, amount_out = amount, entry.get_least_out(amount)
    return MatchedFill(entry, amount_in, amount_out) if amount_in > 0 and amount_out > 0 else None


def _list_flows(network: Network, solution: Solution) -> list[tuple[Flow, int]]:
    edges = network.edges
    flows = []
    for edge, amount in solution.flows:
        token_in, token_out = (network.tokens[side[edge]] for side in (edges.source, edges.target))
        flow = Flow(network.pools[edges.pool[edge]], token_in, token_out, amount, 0.0, amount, edge)
        flows.append((flow, int(amount)))
    place = {token: n for n, token in enumerate(order_tokens(flow for flow, _ in flows))}
    return sorted(flows, key=lambda item: (place[item[0].token_in.address], place[item[0].token_out.address]))


def _trade(fills: tuple[MatchedFill, ...], flows: Sequence[tuple[Flow, int]]) -> _Trades:
    """Return what comes of it: every flow that its pool takes, in order. The last that sells a token which
    nobody can be given sells all there is of it: less than was planned, or what rounding and margins left."""
    market, hops = Market(Exact.IN), []
    balance: dict[Address, int] = defaultdict(int)
    for fill in fills:
        balance[fill.entry.order.token_in] += fill.amount_in
        balance[fill.entry.order.token_out] -= fill.amount_out
    last = _find_last(fills, flows)
    for number, (flow, planned) in enumerate(flows):
        token = flow.token_in.address
        amounts = (balance[token], planned) if last.get(token) == number else (planned,)
        hop = next((hop for amount in amounts if (hop := _swap(market, flow, amount)) is not None), None)
        if hop is None:
            continue
        hops.append(hop)
        balance[token] -= hop.amount_in
        balance[flow.token_out.address] += hop.amount_out
    return _Trades(fills, tuple(hops), balance)


def _find_last(fills: Iterable[MatchedFill], flows: Sequence[tuple[Flow, int]]) -> dict[Address, int]:
    """Return by token which flow is the last to sell it, without those that a later flow buys and those that
    owners can be given."""
    last: dict[Address, int] = {}
    for number, (flow, _) in enumerate(flows):
        last[flow.token_in.address] = number
        last.pop(flow.token_out.address, None)
    claimed = {fill.entry.claims for fill in fills}
    return {token: number for token, number in last.items() if token not in claimed}


def _swap(market: Market, flow: Flow, amount: int) -> Hop | None:
    """Return the swap, or None where there is nothing to swap or the pool does not take it."""
    if amount <= 0:
        return None
    try:
        return market.swap(flow, amount)
    except RefusedError:
        return None


def _trim(trades: _Trades) -> _Trades:
    """Sell less where more is bought than anybody can be given: what is spared can be, of another token. A
    pool that has several hops stays as it is: what one does decides what the next gets."""
    hops, balance = list(trades.hops), defaultdict(int, trades.balance)
    claimed = {fill.entry.claims for fill in trades.fills}
    met = Counter(hop.pool.key for hop in hops)
    for number, hop in reversed(list(enumerate(hops))):
        sold, bought = hop.token_in.address, hop.token_out.address
        wanted = hop.amount_out - balance[bought]
        if bought in claimed or met[hop.pool.key] > 1 or not 0 < wanted < hop.amount_out:
            continue
        try:
            enough = hop.pool.quote(hop.token_in, hop.token_out, wanted, Exact.OUT)
            done = hop.pool.swap(hop.token_in, hop.token_out, enough, Exact.IN)
        except PoolRevertError:
            continue
        if enough < hop.amount_in and done.amount_out >= wanted:
            balance[sold] += hop.amount_in - enough
            balance[bought] -= hop.amount_out - done.amount_out
            hops[number] = hop._replace(
                amount_in=enough, amount_out=done.amount_out, fee_amount=done.fee_amount
            )
    return replace(trades, hops=tuple(hops), balance=balance)


def _divide(trades: _Trades) -> Settled:
    """Give what is over of each token to those who buy it, or take less of it from those who buy an exact
    amount with it, in proportion; the one that comes last has what rounding leaves."""
    fills, left = list(trades.fills), {}
    for token, balance in trades.balance.items():
        over = balance
        claims = {n: claim for n, fill in enumerate(fills) if (claim := _claim(fill, token))}
        unclaimed = sum(claims.values())
        # those who buy an exact amount first: what they cannot be spared goes to the others
        for number in sorted(claims, key=lambda n: (not fills[n].entry.order.is_exact_out, claims[n], n)):
            fills[number], taken = _improve(fills[number], over * claims[number] // unclaimed)
            over, unclaimed = over - taken, unclaimed - claims[number]
        if over:
            left[token] = over
    return tuple(fills), trades.hops, left


def _claim(fill: MatchedFill, token: Address) -> int:
    if fill.entry.claims != token:
        return 0
    return fill.amount_in if fill.entry.order.is_exact_out else fill.amount_out


def _improve(fill: MatchedFill, part: int) -> tuple[MatchedFill, int]:
    if fill.entry.order.is_exact_out:
        part = min(part, fill.amount_in - 1)  # a transfer of nothing is none
        return replace(fill, amount_in=fill.amount_in - part), part
    return replace(fill, amount_out=fill.amount_out + part), part
