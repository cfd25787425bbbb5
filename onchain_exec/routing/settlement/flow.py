"""The float solution as flows between tokens, and an order of the tokens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple

from onchain_exec.core import Address, Token
from onchain_exec.routing.solver.dual import DualPoint, Problem, find_trades
from onchain_exec.venues import Pool

_NOWHERE: Final = frozenset[Address]()
_ENDS: Final = attrgetter("token_in.address", "token_out.address")


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
    trade, chosen = point.trade, find_trades(problem, point)
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


def keep_through(flows: Sequence[Flow], starts: Iterable[Token], ends: Iterable[Token]) -> list[Flow]:
    """Return the flows that lie on a way from one of ``starts`` to one of ``ends``."""
    after, before = defaultdict[Address, set[Address]](set), defaultdict[Address, set[Address]](set)
    for source, target in set(map(_ENDS, flows)):
        after[source].add(target)
        before[target].add(source)
    reached, reaching = _reach(starts, after), _reach(ends, before)
    if after.keys() <= reached and before.keys() <= reaching:
        return list(flows)
    return [flow for flow in flows if flow.token_in.address in reached and flow.token_out.address in reaching]


def _reach(starts: Iterable[Token], following: Mapping[Address, set[Address]]) -> set[Address]:
    reached = {token.address for token in starts}
    waiting = list(reached)
    while waiting:
        new = following.get(waiting.pop(), _NOWHERE) - reached
        reached |= new
        waiting += new
    return reached


def sort_tokens(flows: Iterable[Flow]) -> list[Address] | None:
    """Return the tokens of ``flows`` so that all lead forwards, or None where flows go round (Kahn 1962)."""
    pairs = dict.fromkeys(map(_ENDS, flows))
    following = defaultdict[Address, list[Address]](list)
    for source, target in pairs:
        following[source].append(target)
    arriving = Counter(target for _, target in pairs)
    order = [token for token in following if token not in arriving]
    for token in order:  # it grows
        for target in following.get(token, ()):
            arriving[target] -= 1
            if not arriving[target]:
                order.append(target)
    return order if len(order) == len(arriving.keys() | following.keys()) else None


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
