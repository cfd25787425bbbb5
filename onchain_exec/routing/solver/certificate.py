"""What no route can beat: the dual's value at reported prices, rounded outwards.

For any prices v > 0 with v[target] = 1, weak duality gives

    what is left of the target - fixed costs  <=  sum(endowment * v) + sum of max(0, profit_e(v) - cost_e)

where profit_e is the most that the pool behind edge e can be traded for at v. It holds whatever
found the prices, and for the contracts' integers too: they round in the pools' favour, but for what
``edges.rounding`` allows to one swap through each. A route between two tokens uses all edges of some
way from one to the other: what they lose, at least, comes off the bound. Costs may be shared between
edges (see `contributions`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from onchain_exec.routing.oracles import Edges, FloatArray, IndexArray
from onchain_exec.routing.solver.contributions import share_costs
from onchain_exec.routing.solver.dual import TRIFLE, Problem
from onchain_exec.routing.solver.ways import find_least_losses

_ROUNDING: Final = 2.0**-40
"""Relative to each term, and to each price before the best trade is taken at it: exponentials, logarithms
and sums over ticks lose less than 2**-42 of either, and the sum over edges is exact to a further 2**-53
per edge."""


@dataclass(frozen=True, slots=True)
class Case:
    """A part of all choices: edges ``on`` are used, ``off`` are not; and what bounds it: prices, and what
    edges pay one another (see `contributions`), if they do. Edges beside a problem are numbered after its
    own."""

    log_prices: FloatArray
    on: IndexArray = field(default_factory=lambda: np.empty(0, np.intp))
    off: IndexArray = field(default_factory=lambda: np.empty(0, np.intp))
    paid: FloatArray | None = None

    def share_costs(self, problem: Problem, beside: Problem) -> tuple[FloatArray, FloatArray]:
        """Return what each edge costs after what edges pay one another, and each of those beside."""
        if self.paid is None:
            return problem.costs, beside.costs
        return share_costs(problem, beside, self.paid)


@dataclass(frozen=True, slots=True)
class Ways:
    """What is known of all routes beside the edges of a problem: they lead from the first of ``ends`` to the
    second without going round, and so use all edges of some way there; None where that is not known.
    ``beside`` are further edges, which were not searched."""

    ends: tuple[int, int] | None
    beside: Problem

    def least_losses(self, edges: Edges, loss: FloatArray) -> FloatArray:
        """Return for each of ``edges``, then of those beside if what these lose is given too, the least that
        a way over it loses, where it loses ``loss``: infinite where there is none."""
        if self.ends is None:
            return loss
        source, target = edges.source, edges.target
        if len(loss) > len(edges):
            source = np.append(source, self.beside.edges.source)
            target = np.append(target, self.beside.edges.target)
        return find_least_losses(source, target, loss, self.ends, len(self.beside.endowment))


class Bounds(NamedTuple):
    """What no route of a case is worth more than, in units of the target after the costs of the edges
    used: ``whole`` of all routes, ``using[e]`` of those over edge e, ``without[e]`` of the others."""

    whole: float
    using: FloatArray
    without: FloatArray


def find_bounds(problem: Problem, case: Case, ways: Ways) -> Bounds:
    """Return the bounds of ``case``: what all edges earn less what a route must lose, because it takes a
    way, and because it uses the edges that are on. Edges are those of ``problem``, then those beside."""
    costs, costs_beside = case.share_costs(problem, ways.beside)
    surplus = upper_surplus(problem, case.log_prices, costs)
    if len(ways.beside.edges):
        surplus = np.append(surplus, upper_surplus(ways.beside, case.log_prices, costs_beside))
    surplus[case.off] = -np.inf
    profit, loss = np.maximum(surplus, 0.0), np.maximum(-surplus, 0.0)
    profit[case.on], loss[case.on] = surplus[case.on], 0.0
    owned = np.exp(case.log_prices) * problem.endowment
    total = float(owned.sum() + profit.sum())
    total += _ROUNDING * float(np.abs(owned).sum() + np.abs(profit).sum())
    lost = ways.least_losses(problem.edges, loss)
    least = float(lost[case.on].max(initial=0.0))
    if ways.ends is not None:
        least = max(least, float(lost.min(initial=np.inf)))
    return Bounds(total - least, total - lost, total - least - profit)


def find_earning(problem: Problem, log_prices: FloatArray, value: float) -> IndexArray:
    """Return the edges that earn more than a trifle of ``value`` at the prices, after what they cost."""
    return np.flatnonzero(upper_surplus(problem, log_prices, problem.costs) > TRIFLE * abs(value))


def upper_surplus(problem: Problem, log_prices: FloatArray, costs: FloatArray | float) -> FloatArray:
    """Return what no trade of each edge earns more than at the prices, after what it costs."""
    edges, prices = problem.edges, np.exp(log_prices)
    if not len(edges):
        return np.empty(0)
    given = prices[edges.target] * edges.rounding
    taken = np.zeros(len(edges))
    trade = edges.trade(log_prices, lift=_ROUNDING)
    given[trade.which] += prices[edges.target[trade.which]] * trade.amount_out * (1 + _ROUNDING)
    taken[trade.which] = prices[edges.source[trade.which]] * trade.amount_in
    return np.asarray(given - taken + _ROUNDING * (given + taken) - costs)
