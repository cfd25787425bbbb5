"""Paths without a split: what every route is measured against."""

from __future__ import annotations

from typing import Final

import numpy as np

from onchain_exec.routing.oracles import Edges, FloatArray
from onchain_exec.routing.scope import Scope

_MOST: Final = 32
_FIRSTS: Final = 2
_NONE: Final = 1e-300


def find_singles(edges: Edges, scope: Scope, amount_in: float) -> list[tuple[int, ...]]:
    """Return edges of promising paths of one or two hops, the most promising first.

    They are ranked by what each pool would give for the whole amount were it a constant product of
    the same price and resistance at zero, which a constant product is.
    """
    rate = np.exp(edges.start())
    ratio = -edges.start()
    depth = 2 * np.concatenate(
        [
            group.trade(ratio[begin:end], 1.0).slope
            for group, begin, end in zip(edges.groups, (0, *edges.ends), edges.ends, strict=False)
        ]
    )

    def given(amount: FloatArray | float) -> FloatArray:
        return np.asarray(amount * rate * depth / np.maximum(depth + amount, _NONE))

    first_given = given(amount_in)
    first_given[edges.source != scope.source] = 0.0
    reached = np.zeros(len(scope.tokens))
    np.maximum.at(reached, edges.target, first_given)
    worth = np.where(edges.target == scope.target, given(reached[edges.source]), 0.0)
    direct = (edges.source == scope.source) & (edges.target == scope.target)
    worth[direct] = first_given[direct]
    paths: list[tuple[int, ...]] = []
    for last in np.argsort(-worth, kind="stable")[:_MOST].tolist():
        if direct[last]:
            paths.append((last,))
        elif worth[last] > 0:
            firsts = np.flatnonzero((edges.source == scope.source) & (edges.target == edges.source[last]))
            ranked = firsts[np.argsort(-first_given[firsts], kind="stable")[:_FIRSTS]]
            paths += [(first, last) for first in ranked.tolist() if edges.pool[first] != edges.pool[last]]
    return paths
