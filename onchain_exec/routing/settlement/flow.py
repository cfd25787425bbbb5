"""The float solution as flows between tokens, and an order of the tokens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from onchain_exec.core import Address, Token
from onchain_exec.routing.solver.dual import DualPoint
from onchain_exec.venues import Pool

_SOURCE, _TARGET = attrgetter("token_in.address"), attrgetter("token_out.address")


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


def list_flows(pools: Sequence[Pool], tokens: Sequence[Token], point: DualPoint) -> list[Flow]:
    """Return the trades of ``point``, trifles left out; ``tokens`` are those of its problem, in order."""
    trade, chosen = point.trade, point.substantial
    edges = trade.which[chosen]
    columns = (
        map(pools.__getitem__, point.problem.edges.pool[edges].tolist()),
        map(tokens.__getitem__, point.source[chosen].tolist()),
        map(tokens.__getitem__, point.target[chosen].tolist()),
        trade.amount_in[chosen].tolist(),
        trade.amount_out[chosen].tolist(),
        point.taken[chosen].tolist(),
        edges.tolist(),
    )
    return list(map(Flow._make, zip(*columns, strict=True)))


@dataclass(frozen=True)
class Flows:
    """Flows that are settled together; how they are connected is found once."""

    each: Sequence[Flow]

    @cached_property
    def leaving(self) -> Mapping[Address, Sequence[Flow]]:
        """The flows by the token that they take."""
        return _group(self.each, _SOURCE)

    @cached_property
    def arriving(self) -> Mapping[Address, Sequence[Flow]]:
        """The flows by the token that they give."""
        return _group(self.each, _TARGET)

    @cached_property
    def _following(self) -> Mapping[Address, Sequence[Address]]:
        """The tokens for which each one is traded."""
        return {token: list(dict.fromkeys(map(_TARGET, flows))) for token, flows in self.leaving.items()}

    @cached_property
    def order(self) -> Sequence[Address] | None:
        """The tokens so that all flows lead forwards, or None where these go round (Kahn 1962)."""
        before = Counter(chain.from_iterable(self._following.values()))
        count = len(before.keys() | self.leaving.keys())
        order = [token for token in self.leaving if token not in before]
        for token in order:  # it grows
            for target in self._following.get(token, ()):
                before[target] -= 1
                if not before[target]:
                    order.append(target)
        return order if len(order) == count else None

    @property
    def passing(self) -> set[Address]:
        """The tokens that one flow gives and one takes."""
        arriving = self.arriving
        return {t for t, leaving in self.leaving.items() if len(leaving) == len(arriving.get(t, ())) == 1}

    def keep_through(self, starts: Iterable[Token], ends: Iterable[Token]) -> Flows:
        """Return the flows that lie on a way from one of ``starts`` to one of ``ends``."""
        firsts, lasts = self.leaving.keys() - self.arriving.keys(), self.arriving.keys() - self.leaving.keys()
        if self.order is not None and firsts <= _addresses(starts) and lasts <= _addresses(ends):
            return self  # what does not go round begins and ends somewhere
        before = defaultdict[Address, list[Address]](list)
        for source, targets in self._following.items():
            for target in targets:
                before[target].append(source)
        reached, reaching = _reach(starts, self._following), _reach(ends, before)
        return Flows([flow for flow in self.each if _SOURCE(flow) in reached and _TARGET(flow) in reaching])


def _addresses(tokens: Iterable[Token]) -> set[Address]:
    return {token.address for token in tokens}


def _group(flows: Sequence[Flow], end: Callable[[Flow], Address]) -> dict[Address, list[Flow]]:
    groups: dict[Address, list[Flow]] = {}
    for flow in flows:
        groups.setdefault(end(flow), []).append(flow)
    return groups


def _reach(starts: Iterable[Token], following: Mapping[Address, Sequence[Address]]) -> set[Address]:
    reached = _addresses(starts)
    waiting = list(reached)
    while waiting:
        new = set(following.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
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
