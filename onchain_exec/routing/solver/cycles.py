"""Closed chains that gain at the margin, each found by itself and sized in exact integers.

What all pools earn together may lie elsewhere and take the pools of a smaller cycle; here the best chain
from a token back to it is looked for, whatever else there is to gain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from onchain_exec.routing.market import Market, RefusedError
from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.settlement.flow import Flow
from onchain_exec.routing.solver.network import Network
from onchain_exec.venues import Leg

MOST_HOPS: Final = 4
_CLOSINGS: Final = 8
"""Chains that are tried of each length: the steepest at the margin may be too shallow for its gas."""

_LARGEST_BITS: Final = 128
_NOTHING: Final = 1e-12


def find_cycles(network: Network, market: Market, token: int) -> Iterator[tuple[Flow, ...]]:
    """Yield chains of two to four hops from ``token`` back to it that gain at the margin on the pools as
    ``market`` has left them, the steepest first."""
    edges, start = network.edges, network.start_after(market.changed)
    reached = np.full(len(network.tokens), -np.inf)
    reached[token] = 0.0
    arrivals: list[IndexArray] = []
    closings: list[tuple[float, int, int]] = []
    for _ in range(MOST_HOPS):
        gain = reached[edges.source] + start
        closing = np.flatnonzero((edges.target == token) & (gain > _NOTHING))
        steepest = closing[np.argsort(-gain[closing], kind="stable")[:_CLOSINGS]]
        closings += [(-float(gain[edge]), len(arrivals), int(edge)) for edge in steepest]
        reached, arrived = _arrive(edges.target, gain, len(reached))
        arrivals.append(arrived)
        reached[token] = -np.inf
    for _, length, last in sorted(closings):
        chain = [last]
        for arrived in reversed(arrivals[:length]):
            chain.append(int(arrived[edges.source[chain[-1]]]))
        yield tuple(_flow(network, edge) for edge in reversed(chain))


def size_cycle(market: Market, cycle: tuple[Flow, ...]) -> tuple[Leg, Market] | None:
    """Return the chain at the amount that gains most, and the market after it; None where none gains."""

    def gain(amount: int) -> int:
        leg = run_cycle(market.fork(), cycle, amount)
        return -1 if leg is None else leg.amount_out - amount

    best = max((1 << bit for bit in range(_LARGEST_BITS)), key=gain)
    amount = _climb(gain, best // 2, best * 2)
    after = market.fork()
    leg = run_cycle(after, cycle, amount)
    return None if leg is None or leg.amount_out <= amount else (leg, after)


def run_cycle(market: Market, cycle: tuple[Flow, ...], amount: int) -> Leg | None:
    """Run the chain in exact integers; None where a pool would revert."""
    try:
        return market.run(cycle, amount)
    except RefusedError:
        return None


def _arrive(target: IndexArray, gain: FloatArray, size: int) -> tuple[FloatArray, IndexArray]:
    """Return the best gain with which each token is reached, and by which edge."""
    order = np.argsort(gain, kind="stable")
    arrived = np.zeros(size, np.intp)
    arrived[target[order]] = order  # of several the last, the best, stands
    reached = np.full(size, -np.inf)
    reached[target[order]] = gain[order]
    return reached, arrived


def _climb(gain: Callable[[int], int], low: int, high: int) -> int:
    """Return the amount in a range that gains most, where the gain rises and then falls."""
    while high - low > 2:
        first, second = low + (high - low) // 3, high - (high - low) // 3
        low, high = (first, high) if gain(first) < gain(second) else (low, second)
    return max(range(max(low, 1), high + 1), key=gain)


def _flow(network: Network, edge: int) -> Flow:
    edges = network.edges
    source, target = network.tokens[edges.source[edge]], network.tokens[edges.target[edge]]
    return Flow(network.pools[edges.pool[edge]], source, target, 1.0, 1.0, 1.0, edge)
