"""The part of a network that one search looks at, and prices to start it from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from onchain_exec.errors import NoPoolError
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.oracles import Edges, FloatArray, IndexArray
from onchain_exec.routing.solver.network import Network

_FAR: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Scope:
    """Tokens and edges, renumbered from 0; ``tokens[i]`` is the network's number of token i, and
    ``level[i]`` its hops from the nearest source less those to the nearest target."""

    tokens: IndexArray
    level: IndexArray
    edges: Edges
    sources: IndexArray
    targets: IndexArray


def make_scope(network: Network, basket: Basket, max_hops: int, *, cycles: bool) -> Scope:
    """Return what lies on a way of at most ``max_hops`` from a token that ``basket`` sells to one it buys.

    Without cycles nothing leads back to the only token sold or on from the only one bought; with them every
    edge between the tokens on such ways is kept.

    Raises:
        NoPoolError: a token is in no pool, or on no such way.
    """
    edges = network.edges
    sources = np.array([network.number(token) for token in basket.tokens_in])
    targets = np.array([network.number(token) for token in basket.tokens_out])
    size = len(network.tokens)
    if not cycles:
        back = (edges.target == sources[0]) & (len(sources) == 1)
        on = (edges.source == targets[0]) & (len(targets) == 1)
        edges = edges.take(np.flatnonzero(~(back | on)))
    before = _distances(edges.source, edges.target, sources, max_hops, size)
    after = _distances(edges.target, edges.source, targets, max_hops, size)
    far = [*sources[after[sources] > max_hops], *targets[before[targets] > max_hops]]
    if far:
        raise NoPoolError(
            f"no pool at {network.block} trades {basket}, directly or over {max_hops - 1} other tokens: "
            f"{network.tokens[far[0]]} is not connected",
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
    return Scope(tokens, (before - after)[tokens], inside.relabelled(label), label[sources], label[targets])


def best_rates(edges: Edges, size: int, unit: int, sweeps: int, *, to_unit: bool) -> FloatArray:
    """Return the log of the best marginal rate from each of ``size`` tokens to ``unit``, or to it from there.

    Units of ``unit`` per unit of the token; or units of the token per unit of ``unit``.
    """
    start = edges.start()
    tail, head = (edges.source, edges.target) if to_unit else (edges.target, edges.source)
    rates = np.full(size, -np.inf)
    rates[unit] = 0.0
    for _ in range(sweeps):
        better = rates.copy()
        np.maximum.at(better, tail, rates[head] + start)
        better[unit] = 0.0  # a cycle of arbitrage would make it worth more than itself
        if np.array_equal(better, rates):
            break
        rates = better
    return rates


def _distances(tail: IndexArray, head: IndexArray, starts: IndexArray, limit: int, size: int) -> IndexArray:
    """Return the hops from the nearest of ``starts`` to each token, or far beyond ``limit``."""
    distance = np.full(size, _FAR)
    distance[starts] = 0
    for hops in range(1, limit + 1):
        reached = head[distance[tail] == hops - 1]
        reached = reached[distance[reached] > hops]
        if not len(reached):
            break
        distance[reached] = hops
    return distance
