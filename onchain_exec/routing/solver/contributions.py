"""Fixed costs, shared between edges that are of no use without one another: what tightens the bound.

An edge from a token of which nothing is at hand needs one that leads to it, and an edge to a token that
is neither bought nor owed needs one that leads on. With y[e] = 1 for the edges in use and 0 for the others,

    y[e] <= sum of y[f] over edges f into source(e),   y[e] <= sum of y[f] over edges f out of target(e)

hold for every route without idle edges, however long its ways. Let each edge in use pay ``paid[0][e]`` >= 0,
and every edge of the first sum that is in use be given as much; and so ``paid[1][e]`` and the second sum. A
route's costs are then less by the sum of ``paid * (sum of y[f] - y[e])``, whose terms are 0 or more: what
bounds all worths at the shared costs bounds them at the true ones. (The payments are Lagrange's multipliers.)
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from onchain_exec.routing.oracles import FloatArray
from onchain_exec.routing.solver.dual import Problem

_ROUNDING: Final = 2.0**-40
"""Of all that is added up for an edge: sums of floats lose less."""


def find_payers(problem: Problem) -> NDArray[np.bool_]:
    """Return which edges need one before them (first row), and which need one after them."""
    passing = np.arange(len(problem.endowment)) != problem.target
    before = (passing & (problem.endowment <= 0))[problem.edges.source]
    after = (passing & (problem.endowment >= 0))[problem.edges.target]
    return np.array((before, after))


def share_costs(problem: Problem, beside: Problem, paid: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each edge of ``problem``, and of those ``beside``, costs after what it pays and is given,
    rounded down. ``paid`` is in units of the target, 0 or more; what edges pay that need none does not count.
    """
    paid = np.where(find_payers(problem), paid, 0.0)
    size = len(problem.endowment)
    from_source = np.bincount(problem.edges.source, paid[0], size)
    from_target = np.bincount(problem.edges.target, paid[1], size)

    def share(part: Problem, pays: FloatArray) -> FloatArray:
        is_given = from_source[part.edges.target] + from_target[part.edges.source]
        return np.asarray(part.costs + pays - is_given - _ROUNDING * (part.costs + pays + is_given))

    return share(problem, paid.sum(axis=0)), share(beside, np.zeros(len(beside.edges)))
