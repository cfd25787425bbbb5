"""Paths without a split: what every route is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.routing.flow import Flow
from onchain_exec.routing.gas import ROUTE_GAS, hop_gas
from onchain_exec.routing.market import RefusedError, Settlement, get_worth
from onchain_exec.routing.oracles import Edges, FloatArray
from onchain_exec.routing.route import GasModel, Shape, Terms
from onchain_exec.routing.scope import Scope
from onchain_exec.routing.settle import settle

_MOST: Final = 32
_FIRSTS: Final = 2
_NONE: Final = 1e-300
_HOPELESS: Final = float("-inf")


def find_singles(edges: Edges, scope: Scope, amount_in: float) -> list[tuple[int, ...]]:
    """Return edges of promising paths of one or two hops, the most promising first.

    They are ranked by what each pool would give for the whole amount were it a constant product of
    the same price and resistance at zero, which a constant product is.
    """
    touching = np.flatnonzero((edges.source == scope.source) | (edges.target == scope.target))
    ends = edges.take(touching)
    start = ends.start()
    rate, depth = np.exp(start), 2 * ends.resistance(-start)

    def given(amount: FloatArray | float) -> FloatArray:
        return np.asarray(amount * rate * depth / np.maximum(depth + amount, _NONE))

    first_given = given(amount_in)
    first_given[ends.source != scope.source] = 0.0
    reached = np.zeros(len(scope.tokens))
    np.maximum.at(reached, ends.target, first_given)
    worth = np.where(ends.target == scope.target, given(reached[ends.source]), 0.0)
    direct = (ends.source == scope.source) & (ends.target == scope.target)
    worth[direct] = first_given[direct]
    paths: list[tuple[int, ...]] = []
    for last in np.argsort(-worth, kind="stable")[:_MOST].tolist():
        if direct[last]:
            paths.append((last,))
        elif worth[last] > 0:
            firsts = np.flatnonzero((ends.source == scope.source) & (ends.target == ends.source[last]))
            ranked = firsts[np.argsort(-first_given[firsts], kind="stable")[:_FIRSTS]]
            paths += [(first, last) for first in ranked.tolist() if ends.pool[first] != ends.pool[last]]
    return [tuple(touching[list(path)].tolist()) for path in paths]


def settle_best(terms: Terms, paths: Sequence[Sequence[Flow]], gas: GasModel) -> Settlement | None:
    """Return the path that is worth most for the whole amount after gas, in exact integers, or None if
    none fills it. Ticks cost gas only once they are run: what a path is worth without them comes first."""
    hopes = sorted(((_hope(terms, path, gas), -n) for n, path in enumerate(paths)), reverse=True)
    best: Settlement | None = None
    worth = _HOPELESS
    for hope, number in hopes:
        if hope <= worth:
            break
        try:
            settled = settle(terms, paths[-number], Shape.GRAPH)
        except RefusedError:
            continue
        if (found := get_worth(settled, terms, gas)) > worth:
            best, worth = settled, found
    return best


def _hope(terms: Terms, path: Sequence[Flow], gas: GasModel) -> float:
    forwards, amount = terms.exact is Exact.IN, terms.amount
    try:
        for flow in path if forwards else reversed(path):
            amount = flow.pool.quote(flow.token_in, flow.token_out, amount, terms.exact)
    except (PoolRevertError, StaleStateError):
        return _HOPELESS
    gas_units = ROUTE_GAS + sum(hop_gas(flow.pool.kind) for flow in path)
    return (amount if forwards else -amount) - gas.cost(gas_units, len(path))
