"""What no route can beat: the dual's value at reported prices, rounded outwards.

For any prices v > 0 with v[target] = 1, weak duality gives

    what is left of the target - fixed costs  <=  sum(endowment * v) + sum of max(0, profit_e(v) - cost_e)

where profit_e is the most that the pool behind edge e can be traded for at v. It holds whatever
found the prices, and for the contracts' integers too: they round in the pools' favour, but for what
``edges.rounding`` allows to one swap through each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.dual import Problem

_ROUNDING: Final = 2.0**-40
"""Relative to each term, and to each price before the best trade is taken at it: exponentials, logarithms
and sums over ticks lose less than 2**-42 of either, and the sum over edges is exact to a further 2**-53
per edge."""


@dataclass(frozen=True, slots=True)
class Case:
    """A part of all choices: edges ``on`` are used, ``off`` are not; and prices that bound it."""

    log_prices: FloatArray
    on: IndexArray = field(default_factory=lambda: np.empty(0, np.intp))
    off: IndexArray = field(default_factory=lambda: np.empty(0, np.intp))

    @property
    def is_root(self) -> bool:
        """Whether nothing is decided yet."""
        return not (len(self.on) or len(self.off))


def upper_bound(problem: Problem, case: Case) -> float:
    """Return the bound of ``case`` in units of the target, after the costs of the edges used."""
    surplus = upper_surplus(problem, case.log_prices)
    profit = np.maximum(surplus, 0.0)
    profit[case.off] = 0.0
    profit[case.on] = surplus[case.on]
    owned = np.exp(case.log_prices) * problem.endowment
    total = float(owned.sum() + profit.sum())
    return total + _ROUNDING * float(np.abs(owned).sum() + np.abs(profit).sum())


def upper_surplus(problem: Problem, log_prices: FloatArray) -> FloatArray:
    """Return what no trade of each edge earns more than at the prices, after its cost."""
    edges, prices = problem.edges, np.exp(log_prices)
    given = prices[edges.target] * edges.rounding
    taken = np.zeros(len(edges))
    trade = edges.trade(log_prices, lift=_ROUNDING)
    given[trade.which] += prices[edges.target[trade.which]] * trade.amount_out * (1 + _ROUNDING)
    taken[trade.which] = prices[edges.source[trade.which]] * trade.amount_in
    return np.asarray(given - taken + _ROUNDING * (given + taken) - problem.costs)
