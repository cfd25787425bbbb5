"""The part of a network that one search looks at, and prices to start it from."""

from __future__ import annotations

from collections.abc import Collection
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
    ``level[i]`` its hops from the nearest source less those to the nearest target. ``far`` are the network's
    numbers of pools on longer ways only."""

    tokens: IndexArray
    level: IndexArray
    edges: Edges
    sources: IndexArray
    targets: IndexArray
    far: IndexArray


def make_scope(network: Network, basket: Basket, max_hops: int, *, cycles: bool) -> Scope:
    """Return what lies on a way of at most ``max_hops`` from a token that ``basket`` sells to one it buys.

    Without cycles nothing leads back to the only token sold or on from the only one bought; with them every
    edge between the tokens on such ways is kept.

    Raises:
        NoPoolError: a token is in no pool, or on no such way.
    """
    edges, size = network.edges, len(network.tokens)
    sources = np.array([network.number(token) for token in basket.tokens_in])
    targets = np.array([network.number(token) for token in basket.tokens_out])
    begin = -1 if cycles or len(sources) > 1 else sources[0]
    end = -1 if cycles or len(targets) > 1 else targets[0]
    (onward,) = ((edges.target != begin) & (edges.source != end)).nonzero()
    source, target = edges.source[onward], edges.target[onward]
    before = _distances(source, target, sources, size)
    after = _distances(target, source, targets, size)
    apart = [*sources[after[sources] > max_hops], *targets[before[targets] > max_hops]]
    if apart:
        raise NoPoolError(
            f"no pool at {network.block} trades {basket}, directly or over {max_hops - 1} other tokens: "
            f"{network.tokens[apart[0]]} is not connected",
            needed="pools that connect them",
            todo="Add a protocol, a fee tier or a connecting token, or raise max_hops",
        )
    if cycles:
        reached = before + after <= max_hops
        kept = reached[source] & reached[target]
    else:
        kept = before[source] + after[target] < max_hops
    inside, far = edges.take(onward[kept]), np.empty(0, np.intp)
    if not kept.all():
        connected = (before[source] < _FAR) & (after[target] < _FAR)
        if (connected & ~kept).any():
            leading = _without_dead_ends(edges.take(onward[connected]), (*sources, *targets), size)
            far = np.setdiff1d(leading.pool, inside.pool)
    tokens, label = inside.number_tokens(size)
    inside, level = inside.relabelled(label), before[tokens] - after[tokens]
    return Scope(tokens, level, inside, label[sources], label[targets], far)


def best_rates(edges: Edges, size: int, unit: int, sweeps: int, *, to_unit: bool) -> FloatArray:
    """Return the log of the best marginal rate from each of ``size`` tokens to ``unit``, or to it from there.

    Units of ``unit`` per unit of the token; or units of the token per unit of ``unit``. 0 where none leads.
    """
    start = edges.start()
    tail, head = (edges.source, edges.target) if to_unit else (edges.target, edges.source)
    rates = np.full(size, -np.inf)
    rates[unit] = 0.0
    for _ in range(sweeps):
        before = rates.tobytes()
        np.maximum.at(rates, tail, rates[head] + start)
        rates[unit] = 0.0  # a cycle of arbitrage would make it worth more than itself
        if rates.tobytes() == before:
            break
    return np.where(rates > -np.inf, rates, 0.0)


def _without_dead_ends(edges: Edges, ends: Collection[int], size: int) -> Edges:
    """Return the edges without those to tokens, other than ``ends``, that one other token alone trades."""
    while True:
        pairs = np.append(edges.source * size + edges.target, edges.target * size + edges.source)
        leads_on = np.bincount(np.unique(pairs) // size, minlength=size) > 1
        leads_on[list(ends)] = True
        kept = leads_on[edges.source] & leads_on[edges.target]
        if kept.all():
            return edges
        edges = edges.take(np.flatnonzero(kept))


def _distances(tail: IndexArray, head: IndexArray, starts: IndexArray, size: int) -> IndexArray:
    """Return the hops from the nearest of ``starts`` to each token, `_FAR` where none lead there."""
    distance = np.full(size, _FAR)
    distance[starts] = hops = 0
    reached = starts
    while len(reached) and distance.max() == _FAR:
        hops += 1
        reached = head[distance[tail] == hops - 1]
        reached = reached[distance[reached] > hops]
        distance[reached] = hops
    return distance
