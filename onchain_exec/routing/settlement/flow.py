"""The float solution as flows between tokens, and an order of the tokens."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, Self

import numpy as np

from onchain_exec.core import Address, Token
from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.dual import DualPoint
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


@dataclass(frozen=True)
class Flows:
    """Flows that are settled together, as columns: ``pool``, ``source`` and ``target`` are places in
    ``pools`` and ``tokens``, the others as in `Flow`. How they are connected is found once."""

    pools: Sequence[Pool]
    tokens: Sequence[Token]
    pool: IndexArray
    source: IndexArray
    target: IndexArray
    amount_in: FloatArray
    amount_out: FloatArray
    value: FloatArray
    edge: IndexArray

    @classmethod
    def of(cls, pools: Sequence[Pool], tokens: Sequence[Token], point: DualPoint) -> Self:
        """Return the trades of ``point``, trifles left out; ``tokens`` are those of its problem, in order."""
        trade, chosen = point.trade, point.substantial
        edges = trade.which[chosen]
        return cls(
            pools,
            tokens,
            point.problem.edges.pool[edges],
            point.source[chosen],
            point.target[chosen],
            trade.amount_in[chosen],
            trade.amount_out[chosen],
            point.taken[chosen],
            edges,
        )

    @property
    def columns(self) -> tuple[IndexArray | FloatArray, ...]:
        """The columns, in the order in which they are given."""
        return self.pool, self.source, self.target, self.amount_in, self.amount_out, self.value, self.edge

    def take(self, index: IndexArray) -> Self:
        """Return the flows at ``index``, in its order."""
        columns: list[Any] = [column[index] for column in self.columns]  # of two types, says mypy
        return type(self)(self.pools, self.tokens, *columns)

    def with_more(self, rows: Sequence[tuple[float, ...]]) -> Self:
        """Return these flows and then others, given as ``rows`` of the columns."""
        columns: list[Any] = []
        for column, more in zip(self.columns, zip(*rows, strict=True), strict=True):
            columns.append(np.append(column, np.array(more, column.dtype)))
        return type(self)(self.pools, self.tokens, *columns)

    def swaps(
        self, index: IndexArray | slice = slice(None)
    ) -> tuple[Iterator[Pool], Iterator[Token], Iterator[Token], Iterator[int]]:
        """Return the pools, the tokens in, the tokens out and the edges of the flows at ``index``."""
        return (
            map(self.pools.__getitem__, self.pool[index].tolist()),
            map(self.tokens.__getitem__, self.source[index].tolist()),
            map(self.tokens.__getitem__, self.target[index].tolist()),
            iter(self.edge[index].tolist()),
        )

    @cached_property
    def each(self) -> Sequence[Flow]:
        """The flows one by one."""
        *ends, edge = self.swaps()
        amounts = self.amount_in.tolist(), self.amount_out.tolist(), self.value.tolist()
        return list(map(Flow._make, zip(*ends, *amounts, edge, strict=True)))

    @cached_property
    def _following(self) -> Mapping[int, Iterable[int]]:
        """The tokens for which each one is traded."""
        following: dict[int, dict[int, None]] = {}
        for source, target in zip(self.source.tolist(), self.target.tolist(), strict=True):
            following.setdefault(source, {})[target] = None
        return following

    @cached_property
    def order(self) -> Sequence[int] | None:
        """The tokens' places so that all flows lead forwards, or None where these go round (Kahn 1962)."""
        before = Counter(chain.from_iterable(self._following.values()))
        count = len(before.keys() | self._following.keys())
        order = [token for token in self._following if token not in before]
        for token in order:  # it grows
            for target in self._following.get(token, ()):
                before[target] -= 1
                if not before[target]:
                    order.append(target)
        return order if len(order) == count else None

    @cached_property
    def leaving(self) -> IndexArray:
        """How many flows take each of the tokens."""
        return np.bincount(self.source, minlength=len(self.tokens))

    @cached_property
    def arriving(self) -> IndexArray:
        """How many flows give each of the tokens."""
        return np.bincount(self.target, minlength=len(self.tokens))

    @property
    def passing(self) -> set[Address]:
        """The tokens that one flow gives and one takes."""
        (once,) = ((self.leaving == 1) & (self.arriving == 1)).nonzero()
        return {self.tokens[place].address for place in once.tolist()}

    def keep_through(self, starts: IndexArray, ends: IndexArray) -> Self:
        """Return the flows that lie on a way from one of the tokens ``starts`` to one of ``ends``."""
        leaving, arriving = self.leaving.astype(bool), self.arriving.astype(bool)
        firsts, lasts = leaving & ~arriving, arriving & ~leaving
        firsts[starts] = lasts[ends] = False
        if self.order is not None and not (firsts.any() or lasts.any()):
            return self  # what does not go round begins and ends somewhere
        before = defaultdict[int, list[int]](list)
        for source, targets in self._following.items():
            for target in targets:
                before[target].append(source)
        reached, reaching = _reach(starts, self._following), _reach(ends, before)
        return self.take(np.flatnonzero(np.isin(self.source, reached) & np.isin(self.target, reaching)))


def _reach(starts: IndexArray, following: Mapping[int, Iterable[int]]) -> list[int]:
    reached = set(starts.tolist())
    waiting = list(reached)
    while waiting:
        new = set(following.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return list(reached)


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
