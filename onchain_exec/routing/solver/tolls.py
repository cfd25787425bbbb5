"""Supports for fixed costs, by tolls in their place: dynamic slope scaling (Kim, Pardalos 1999).

An edge's fixed cost is charged as a part of what flows through it, such that it comes to the whole cost
at the flow last seen. Edges with little flow become dear and lose it to others, so that paths whose hops
are worth their costs only together are found, which changes of single edges do not reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from onchain_exec.routing.oracles import IndexArray
from onchain_exec.routing.solver.dual import DualPoint, Problem, solve

_ROUNDS: Final = 4
_TOLERANCE: Final = 1e-6
_DEAREST: Final = 1.0
_BEND: Final = 1e-4
"""Of a fixed rate: Newton's steps would bounce off a straight line, and a toll is a guess anyway."""


def find_supports(problem: Problem, point: DualPoint) -> Iterator[IndexArray]:
    """Yield sets of edges that flows settle on under tolls, from ``point``, the solution without costs."""
    problem = replace(problem, edges=problem.edges.widened(_BEND))
    tolls = np.minimum(problem.costs / abs(point.value), _DEAREST)
    for _ in range(_ROUNDS):
        point = solve(replace(problem, tolls=tolls), point.log_prices, _TOLERANCE)
        used = point.used
        yield used
        value = point.taken[point.trade.amount_in > 0]
        tolls = tolls.copy()
        tolls[used] = np.minimum(problem.costs[used] / value, _DEAREST)
