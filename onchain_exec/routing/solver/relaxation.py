"""Prices and payments that bound the cases of a problem tightly, and how much of each edge counts there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from onchain_exec.routing.oracles import FloatArray
from onchain_exec.routing.solver.certificate import Case, upper_surplus
from onchain_exec.routing.solver.contributions import find_payers
from onchain_exec.routing.solver.dual import Problem
from onchain_exec.routing.solver.softened import Decided, Softened

_WIDE: Final = (1.0, 0.2)
"""Softness over all edges, which tells the few that may trade."""

_NARROW: Final = (0.1, 0.03)
"""Softness over these, before that which is asked for."""

_NEAR: Final = 0.2
"""Of its cost: what an edge earns that may be worth it at prices nearby."""

_LACKING: Final = 0.05
"""How much more of an edge counts than of all that it needs, before it pays them."""

_MOST_ROUNDS: Final = 6


class Relaxed(NamedTuple):
    """A case at its prices and payments; how much of each edge counts there, and what it takes, in units of
    the target."""

    case: Case
    share: FloatArray
    taken: FloatArray


class Relaxation:
    """The relaxed cases of a problem. Which edges may trade, and which pay others, is learnt from case to
    case."""

    def __init__(self, problem: Problem, beside: Problem) -> None:
        self._problem, self._beside = problem, beside
        self._largest_cost = float(problem.costs.max())
        self._may_pay = find_payers(problem)
        self._paying = np.zeros_like(self._may_pay)
        self._playing = np.ones(len(problem.edges), bool)
        self._softened = self._soften()
        self._begun = False

    def relax(self, case: Case, softness: float) -> Relaxed:
        """Return the case at better prices and payments; ``softness`` is a part of the largest cost."""
        if not self._begun:
            case = self._begin(case)
        return self._learn_from(case, softness)

    def _begin(self, case: Case) -> Case:
        self._begun = True
        for softness in _WIDE:
            case = self._minimise(case, softness).case
        self._playing = upper_surplus(self._problem, case.log_prices, _NEAR * self._problem.costs) > 0
        self._softened = self._soften()
        for softness in _NARROW:
            case = self._learn_from(case, softness).case
        return case

    def _learn_from(self, case: Case, softness: float) -> Relaxed:
        """Return the case relaxed until there is nothing to learn from it."""
        found = self._minimise(case, softness)
        for _ in range(_MOST_ROUNDS):
            if not self._learns(found, softness):
                break
            found = self._minimise(found.case, softness)
        return found

    def _learns(self, found: Relaxed, softness: float) -> bool:
        """Return whether edges earn that were taken not to trade, or count for more than what they need:
        these trade and pay from now on."""
        edges, case = self._problem.edges, found.case
        size = len(case.log_prices)
        costs, _ = case.share_costs(self._problem, self._beside)
        earning = upper_surplus(self._problem, case.log_prices, costs) > softness * self._largest_cost
        earning[case.off[case.off < len(edges)]] = False
        joining = earning & ~self._playing
        share = found.share[: len(edges)]
        into, out = np.bincount(edges.target, share, size), np.bincount(edges.source, share, size)
        lacking = share > np.array((into[edges.source], out[edges.target])) + _LACKING
        paying = lacking & self._may_pay & self._playing & ~self._paying
        learns = bool(joining.any() or paying.any())
        if learns:
            self._playing |= joining
            self._paying |= paying
            self._softened = self._soften()
        return learns

    def _minimise(self, case: Case, softness: float) -> Relaxed:
        softened, tokens = self._softened, self._softened.tokens
        paid = np.zeros(self._paying.shape) if case.paid is None else case.paid.copy()
        start = np.append(case.log_prices[tokens], paid[softened.payers])
        decided = Decided(softened.rows(case.on), softened.rows(case.off))
        point = softened.minimise(start, softness * self._largest_cost, decided)
        log_prices = case.log_prices.copy()
        log_prices[tokens] = point.variables[: len(tokens)]
        paid[softened.payers] = point.variables[len(tokens) :]
        count = len(self._problem.edges)
        share, taken = np.zeros((2, count + len(self._beside.edges)))
        share[softened.edges], taken[softened.edges] = point.share, -point.slopes[:, 0]
        return Relaxed(replace(case, log_prices=log_prices, paid=paid), share, taken)

    def _soften(self) -> Softened:
        return Softened(self._problem, self._beside, np.flatnonzero(self._playing), self._paying)
