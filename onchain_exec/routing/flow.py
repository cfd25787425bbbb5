"""The float solution as flows between tokens, and an order of the tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from onchain_exec.core import Address, Token
from onchain_exec.routing.dual import DualPoint, Problem, find_trades
from onchain_exec.venues import Pool


class Flow(NamedTuple):
    """A proposed trade through one pool, in float base units; ``value`` is what it takes, in units of
    the priced token. ``edge`` is its number where it was found."""

    pool: Pool
    token_in: Token
    token_out: Token
    amount_in: float
    amount_out: float
    value: float
    edge: int


def list_flows(
    pools: Sequence[Pool], tokens: Sequence[Token], problem: Problem, point: DualPoint
) -> list[Flow]:
    """Return the trades of ``point``, trifles left out; ``tokens`` are those of the problem, in order."""
    trade, chosen = point.trade, find_trades(point)
    edges = trade.which[chosen]
    columns = (
        map(pools.__getitem__, problem.edges.pool[edges].tolist()),
        map(tokens.__getitem__, point.source[chosen].tolist()),
        map(tokens.__getitem__, point.target[chosen].tolist()),
        trade.amount_in[chosen].tolist(),
        trade.amount_out[chosen].tolist(),
        point.taken[chosen].tolist(),
        edges.tolist(),
    )
    return list(map(Flow._make, zip(*columns, strict=True)))


def keep_through(flows: Sequence[Flow], start: Token, end: Token) -> list[Flow]:
    """Return the flows that lie on a way from ``start`` to ``end``."""
    after = _reach(start.address, [(flow.token_in.address, flow.token_out.address) for flow in flows])
    before = _reach(end.address, [(flow.token_out.address, flow.token_in.address) for flow in flows])
    return [flow for flow in flows if flow.token_in.address in after and flow.token_out.address in before]


def _reach(start: Address, steps: Sequence[tuple[Address, Address]]) -> set[Address]:
    reached, before = {start}, 0
    while len(reached) > before:
        before = len(reached)
        reached |= {target for source, target in steps if source in reached}
    return reached


def order_tokens(flows: Iterable[Flow]) -> list[Address]:
    """Return the tokens of ``flows`` so that these lead forwards as far as they can.

    Acyclic flows come out in topological order. Where cycles stand in the way, the token that gives
    most beyond what it takes goes first (Eades, Lin, Smyth 1993).
    """
    given: dict[Address, dict[Address, float]] = {}
    taken: dict[Address, dict[Address, float]] = {}
    for flow in flows:
        source, target = flow.token_in.address, flow.token_out.address
        for token in (source, target):
            given.setdefault(token, {})
            taken.setdefault(token, {})
        total = given[source].get(target, 0.0) + flow.value
        given[source][target] = taken[target][source] = total
    head: list[Address] = []
    tail: list[Address] = []
    firsts = [token for token in given if not taken[token]]
    lasts = [token for token in given if not given[token]]
    while given:
        if not (firsts or lasts):
            firsts.append(
                max(given, key=lambda token: sum(given[token].values()) - sum(taken[token].values()))
            )
        side, token = (head, firsts.pop()) if firsts else (tail, lasts.pop())
        if token not in given:
            continue
        side.append(token)
        for other in given.pop(token):
            del taken[other][token]
            if not taken[other]:
                firsts.append(other)
        for other in taken.pop(token):
            del given[other][token]
            if not given[other]:
                lasts.append(other)
    return head + tail[::-1]


def is_acyclic(flows: Sequence[Flow], order: Sequence[Address]) -> bool:
    """Return whether every flow leads forwards in ``order``."""
    place = {token: index for index, token in enumerate(order)}
    return all(place[flow.token_in.address] < place[flow.token_out.address] for flow in flows)
