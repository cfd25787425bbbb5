"""The part of a network that one search looks at, and prices to start it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from onchain_exec.core import Token
from onchain_exec.errors import NoPoolError
from onchain_exec.routing.network import Network
from onchain_exec.routing.oracles import Edges, FloatArray, IndexArray

_FAR: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Scope:
    """Tokens and edges, renumbered from 0; ``tokens[i]`` is the network's number of token i, and
    ``level[i]`` its hops from the source less those to the target."""

    tokens: IndexArray
    level: IndexArray
    edges: Edges
    source: int
    target: int


def make_scope(network: Network, token_in: Token, token_out: Token, max_hops: int, *, cycles: bool) -> Scope:
    """Return what lies on a way of at most ``max_hops`` from ``token_in`` to ``token_out``.

    Without cycles nothing leads back to the first token or on from the last; with them every edge
    between the tokens on such ways is kept.

    Raises:
        NoPoolError: a token is in no pool, or no such way exists.
    """
    edges = network.edges
    first, last = network.number(token_in), network.number(token_out)
    size = len(network.tokens)
    if not cycles:
        edges = edges.take(np.flatnonzero((edges.target != first) & (edges.source != last)))
    before = _distances(edges.source, edges.target, first, size, max_hops)
    after = _distances(edges.target, edges.source, last, size, max_hops)
    if before[last] > max_hops:
        raise NoPoolError(
            f"no pool at {network.block} trades {token_in} for {token_out}, directly or over "
            f"{max_hops - 1} other tokens",
            needed="pools that connect them",
            todo="Add a protocol, a fee tier or a connecting token, or raise max_hops",
        )
    if cycles:
        reached = before + after <= max_hops
        kept = reached[edges.source] & reached[edges.target]
    else:
        kept = before[edges.source] + 1 + after[edges.target] <= max_hops
    inside = edges if kept.all() else edges.take(np.flatnonzero(kept))
    tokens = np.unique(np.concatenate((inside.source, inside.target)))
    label = np.zeros(size, np.intp)
    label[tokens] = np.arange(len(tokens))
    return Scope(
        tokens, (before - after)[tokens], inside.relabelled(label), int(label[first]), int(label[last])
    )


def best_rates(scope: Scope, sweeps: int, *, to_target: bool) -> FloatArray:
    """Return the log of the best marginal rate from each token to the target, or to it from the source.

    Units of the target per unit of the token; or units of the token per unit of the source.
    """
    edges, start = scope.edges, scope.edges.start()
    tail, head = (edges.source, edges.target) if to_target else (edges.target, edges.source)
    rates = np.full(len(scope.tokens), -np.inf)
    unit = scope.target if to_target else scope.source
    rates[unit] = 0.0
    for _ in range(sweeps):
        better = rates.copy()
        np.maximum.at(better, tail, rates[head] + start)
        better[unit] = 0.0  # a cycle of arbitrage would make it worth more than itself
        if np.array_equal(better, rates):
            break
        rates = better
    return rates


def _distances(tail: IndexArray, head: IndexArray, start: int, size: int, limit: int) -> IndexArray:
    """Return the hops from ``start`` to each token, or far beyond ``limit``."""
    distance = np.full(size, _FAR)
    distance[start] = 0
    for hops in range(1, limit + 1):
        reached = head[distance[tail] == hops - 1]
        reached = reached[distance[reached] > hops]
        if not len(reached):
            break
        distance[reached] = hops
    return distance
