"""Paths without a split: what every route is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.routing.basket import Basket
from onchain_exec.routing.gas import ROUTE_GAS, hop_gas
from onchain_exec.routing.market import Market, RefusedError, Settlement, get_worth
from onchain_exec.routing.oracles import Edges, FloatArray
from onchain_exec.routing.route import GasModel
from onchain_exec.routing.settlement.flow import Flow

_MOST: Final = 32
_FIRSTS: Final = 2
_NONE: Final = 1e-300
_HOPELESS: Final = float("-inf")


def find_singles(edges: Edges, size: int, ends: tuple[int, int], amount_in: float) -> list[tuple[int, ...]]:
    """Return edges of promising paths of one or two hops from the first of ``ends`` to the second, the most
    promising first; ``size`` is how many tokens there are.

    They are ranked by what each pool would give for the whole amount were it a constant product of
    the same price and resistance at zero, which a constant product is.
    """
    source, target = ends
    (touching,) = ((edges.source == source) | (edges.target == target)).nonzero()
    tail, head, pools = edges.source[touching], edges.target[touching], edges.pool[touching].tolist()
    rate, depth = np.exp(edges.start()[touching]), 2.0 * edges.resistance[touching]

    def given(amount: FloatArray | float) -> FloatArray:
        return np.asarray(amount * rate * depth / np.maximum(depth + amount, _NONE))

    first_given = np.where(tail == source, given(amount_in), 0.0)
    reached = np.zeros(size)
    np.maximum.at(reached, head, first_given)
    worth = np.where(head == target, given(reached[tail]), 0.0)
    direct = (tail == source) & (head == target)
    worth[direct] = first_given[direct]
    (firsts,) = (tail == source).nonzero()
    firsts = firsts[(-first_given[firsts]).argsort(kind="stable")]
    reaching: dict[int, list[int]] = {}
    for first, token in zip(firsts.tolist(), head[firsts].tolist(), strict=True):
        reaching.setdefault(token, []).append(first)
    numbers = touching.tolist()
    paths: list[tuple[int, ...]] = []
    for last in (-worth).argsort(kind="stable")[:_MOST].tolist():
        if direct[last]:
            paths.append((numbers[last],))
        elif worth[last] > 0:
            ranked = reaching.get(int(tail[last]), [])[:_FIRSTS]
            paths += [(numbers[n], numbers[last]) for n in ranked if pools[n] != pools[last]]
    return paths


def settle_best(
    basket: Basket, paths: Sequence[Sequence[Flow]], gas: GasModel
) -> tuple[Sequence[Flow], Settlement] | None:
    """Return the path that is worth most for the whole amount after gas, and what it is in exact integers, or
    None if none fills it. Ticks cost gas only once they are run: what a path is worth without them comes
    first."""
    hopes = sorted(((_hope(basket, path, gas), -n) for n, path in enumerate(paths)), reverse=True)
    best: tuple[Sequence[Flow], Settlement] | None = None
    worth, (amount,) = _HOPELESS, basket.amounts.values()
    for hope, number in hopes:
        if hope <= worth:
            break
        market = Market(basket.exact)
        try:
            settled = market.settle([market.run(paths[-number], amount)])
        except RefusedError:
            continue
        if (found := get_worth(settled, basket, gas)) > worth:
            best, worth = (paths[-number], settled), found
    return best


def _hope(basket: Basket, path: Sequence[Flow], gas: GasModel) -> float:
    forwards, (amount,) = basket.exact is Exact.IN, basket.amounts.values()
    try:
        for flow in path if forwards else reversed(path):
            amount = flow.pool.quote(flow.token_in, flow.token_out, amount, basket.exact)
    except (PoolRevertError, StaleStateError):
        return _HOPELESS
    gas_units = ROUTE_GAS + sum(hop_gas(flow.pool.kind) for flow in path)
    return (amount if forwards else -amount) - gas.cost(gas_units, len(path))
