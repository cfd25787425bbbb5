"""Which pools are worth their gas: pruning, then branch and bound with certified bounds.

Each edge costs a fixed amount if it is used at all. Relaxing that in the dual gives a bound; its kinks
name the few edges that are neither clearly worth their cost nor clearly not. Those are branched on:
switched on, the cost is paid and the edge is free; switched off, it is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from typing import Final

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.certificate import Case, upper_bound
from onchain_exec.routing.solver.dual import DualPoint, Problem, evaluate, find_trades, solve
from onchain_exec.routing.solver.tolls import find_supports

_SOFTNESS: Final = (1.0, 0.1, 0.01, 0.001)
"""Of the largest cost: from a wide bend in place of the kink to a nearly sharp one."""

_PROVEN: Final = 1e-7
_MOST_NODES: Final = 200
_MOST_CHANGES: Final = 120
_DROPPED_AT_ONCE: Final = 0.1
"""Of the edges that lose: what they carried goes to others, which may then earn."""

_SOFT_TOLERANCE: Final = 1e-6
_ALWAYS_ON: Final = 40.0
_CONVERGED: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Support:
    """Edges to use, what they are worth after costs, and the log prices of all tokens there."""

    edges: IndexArray
    worth: float
    log_prices: FloatArray


@dataclass(frozen=True, slots=True)
class Choice:
    """The best support found, and the cases that together are all choices, with the bound of each after
    costs; ``root`` is the first, before any was split."""

    support: Support
    root: Case
    cases: tuple[tuple[float, Case], ...]


def choose_edges(problem: Problem, point: DualPoint, expired: Callable[[], bool]) -> Choice:
    """Return the edges that are worth most after costs, from ``point``, the solution without costs.

    Stops when the proof is complete to 1e-7, or at the first node after ``expired`` says so.
    """
    if not problem.costs.any():
        root = Case(point.log_prices)
        support = Support(point.trade.which[find_trades(problem, point)], point.value, point.log_prices)
        return Choice(support, root, ((upper_bound(problem, root), root),))
    return _Tree(problem, point).search(expired)


class _Tree:
    """Open cases by their bounds, and the best support so far."""

    def __init__(self, problem: Problem, point: DualPoint) -> None:
        self.problem = problem
        self._known: dict[bytes, Support] = {}
        starts = [
            np.flatnonzero(point.profits(len(problem.costs)) > problem.costs),
            point.used,
            *find_supports(problem, point),
        ]
        self.best = max(
            (self._improve(edges, point.log_prices) for edges in starts), key=lambda support: support.worth
        )
        self._heap: list[tuple[float, int, int, Case]] = []
        self._order = count()
        self._open(Case(point.log_prices))

    def search(self, expired: Callable[[], bool]) -> Choice:
        """Split the case with the highest bound until no bound is above what is found."""
        self.root = self._heap[0][3]
        for _ in range(_MOST_NODES):
            bound, _, edge, case = self._heap[0]
            if -bound - self.best.worth <= _PROVEN * abs(self.best.worth) or edge < 0 or expired():
                break
            heappop(self._heap)
            self._open(replace(case, on=np.append(case.on, edge)))
            self._open(replace(case, off=np.append(case.off, edge)))
        return Choice(self.best, self.root, tuple((-bound, case) for bound, *_, case in self._heap))

    def _open(self, case: Case) -> None:
        """Find prices that bound ``case`` tightly, look for a better support there, and queue it."""
        case = self._without_dominated(case)
        index = np.delete(np.arange(len(self.problem.edges)), case.off)
        costs = self.problem.costs.copy()
        costs[case.on] = -_ALWAYS_ON * costs.max()
        problem = replace(self.problem, costs=costs).take(index)
        compact, tokens = problem.compact()
        log_prices = case.log_prices[tokens]
        largest = float(self.problem.costs.max())
        for part in _SOFTNESS if case.is_root else _SOFTNESS[2:]:
            solved = solve(compact, log_prices, _SOFT_TOLERANCE * part, part * largest)
            log_prices = solved.log_prices
            if part * largest <= _PROVEN * abs(self.best.worth):
                break  # a sharper bend would not tell in the bound
        full = case.log_prices.copy()
        full[tokens] = log_prices
        found = self._improve(index[solved.trade.which[solved.share > 0.5]], full)
        if found.worth > self.best.worth:
            self.best = found
        case = min(case, replace(case, log_prices=full), key=lambda way: upper_bound(self.problem, way))
        free = np.setdiff1d(index, case.on)
        doubt = np.abs(self._surplus(case.log_prices)[free])
        edge = int(free[np.argmin(doubt)]) if len(free) else -1
        heappush(self._heap, (-upper_bound(self.problem, case), next(self._order), edge, case))

    def _without_dominated(self, case: Case) -> Case:
        """Return the case with those edges off that cannot be in a better support.

        Using an edge that loses more at the case's prices than the bound is above the best support
        leads to something worse than that support.
        """
        profit = self._surplus(case.log_prices)
        slack = upper_bound(self.problem, case) - self.best.worth
        dominated = profit < -slack
        dominated[case.on] = False
        return replace(case, off=np.union1d(case.off, np.flatnonzero(dominated)))

    def _improve(self, edges: IndexArray, log_prices: FloatArray) -> Support:
        """Return a support near ``edges`` that no edge should leave, and none join, by itself."""
        best = current = self._support(edges, log_prices)
        for _ in range(_MOST_CHANGES):
            profit = self._surplus(current.log_prices)
            losses = profit[current.edges]
            if (losses < 0).any():
                dropped = max(1, int((losses < 0).sum() * _DROPPED_AT_ONCE))
                edges = np.delete(current.edges, np.argsort(losses, kind="stable")[:dropped])
            else:
                edges = np.union1d(current.edges, np.flatnonzero(profit > 0))
                if len(edges) == len(current.edges):
                    break
            current = self._support(edges, current.log_prices)
            if current.worth <= best.worth and not (losses < 0).any():
                break
            best = max(best, current, key=lambda support: support.worth)
        return best

    def _surplus(self, log_prices: FloatArray) -> FloatArray:
        """Return what each edge earns at the prices beyond its cost."""
        return evaluate(self.problem, log_prices).profits(len(self.problem.edges)) - self.problem.costs

    def _support(self, edges: IndexArray, log_prices: FloatArray) -> Support:
        """Return what ``edges`` alone are worth, without those that then carry nothing."""
        if (known := self._known.get(edges.tobytes())) is not None:
            return known
        problem, tokens = self.problem.take(edges).compact()
        point = solve(problem, log_prices[tokens])
        full = log_prices.copy()
        full[tokens] = point.log_prices
        used = edges[point.used]
        worth = point.value - float(self.problem.costs[used].sum())
        if point.gap > _CONVERGED * abs(point.value):  # nothing leads through: the value means nothing
            worth = -np.inf
        return self._known.setdefault(edges.tobytes(), Support(used, worth, full))
