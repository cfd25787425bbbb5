"""Which pools are worth their gas: pruning, then branch and bound with certified bounds.

Each edge costs a fixed amount if it is used at all. Relaxing that in the dual gives a bound; its kinks
name the few edges that are neither clearly worth their cost nor clearly not. Those are branched on:
switched on, the cost is paid and the edge is free; switched off, it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import chain, count
from typing import Final, NamedTuple

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.certificate import Bounds, Case, Ways, find_bounds, upper_surplus
from onchain_exec.routing.solver.dual import DualPoint, Problem, find_trades, solve
from onchain_exec.routing.solver.supports import Support, Supports
from onchain_exec.routing.solver.tolls import find_supports

_SOFTNESS: Final = (1.0, 0.1, 0.01, 0.001)
"""Of the largest cost: from a wide bend in place of the kink to a nearly sharp one."""

_SOFTNESS_SPLIT: Final = _SOFTNESS[2:]
"""From the prices of a case that was one with another."""

_LIKELY: Final = (0.5, 0.2, 0.05)
"""How much of an edge counts under a soft cost: supports are tried of those above each."""

_PROVEN: Final = 1e-7
_MOST_NODES: Final = 200
_SOFT_TOLERANCE: Final = 0.1
_ALWAYS_ON: Final = 40.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The best support found, what no other is worth more than, and log prices that bound all choices
    together. ``left_out`` are edges beside the problem of which the bound says nothing."""

    support: Support
    bound: float
    log_prices: FloatArray
    left_out: frozenset[int]


def choose_edges(
    problem: Problem, point: DualPoint, ways: Ways, single: Sequence[int], expired: Callable[[], bool]
) -> Choice:
    """Return the edges that are worth most after costs, from ``point``, the solution without costs, and from
    the edges of a ``single`` path, which are enough for a small order.

    Stops when the proof is complete to 1e-7, or at the first node after ``expired`` says so.
    """
    if not problem.costs.any():
        bounds = find_bounds(problem, Case(point.log_prices), replace(ways, ends=None))  # ways lose nothing
        support = Support(point.trade.which[find_trades(problem, point)], point.value, point.log_prices)
        return Choice(support, bounds.whole, point.log_prices, frozenset(bounds.left_out.tolist()))
    return _Tree(problem, ways).search(point, np.sort(np.array(single, np.intp)), expired)


class _Bounded(NamedTuple):
    """A case with its bounds."""

    case: Case
    bounds: Bounds


class _Tree:
    """Open cases by their bounds, the highest first."""

    def __init__(self, problem: Problem, ways: Ways) -> None:
        self.problem, self.ways, self.supports = problem, ways, Supports(problem, ways)
        self._largest_cost = float(problem.costs.max())
        self._heap: list[tuple[float, int, _Bounded]] = []
        self._order = count()
        self._left_out = frozenset[int]()

    def search(self, point: DualPoint, single: IndexArray, expired: Callable[[], bool]) -> Choice:
        """Split the case with the highest bound until no bound is above what is found."""
        root = self._open(self._begin(point, single), _SOFTNESS)
        for _ in range(_MOST_NODES):
            nothing_does = self.supports.best.worth == -np.inf  # not even all edges, and for nothing
            if nothing_does or not self._heap or self._is_proven(self._heap[0][-1]) or expired():
                break
            case = self._heap[0][-1].case
            edge = self._worst(case)
            if edge is None:
                break
            heappop(self._heap)
            self._open(self._narrowed(replace(case, on=np.append(case.on, edge))))
            self._open(self._narrowed(replace(case, off=np.append(case.off, edge))))
        best = self.supports.best
        bound = max(best.worth, -self._heap[0][0]) if self._heap else best.worth
        return Choice(best, bound, root.log_prices, self._left_out)

    def _begin(self, point: DualPoint, single: IndexArray) -> _Bounded:
        """Return the case of all choices, after supports from various starts were tried; as soon as the
        bound proves the best of them, no more are."""
        root = Case(point.log_prices)
        if len(single):
            self.supports.try_only(single, point.log_prices)
        found = self._narrowed(root)
        worthwhile = np.flatnonzero(point.profits(len(self.problem.costs)) > self.problem.costs)
        for edges in chain((worthwhile, point.used), self._tolled(found, point)):
            if self._is_proven(found):
                break
            found = self._narrowed(found.case, self.supports.improve(edges, found.case))
        return found

    def _tolled(self, found: _Bounded, point: DualPoint) -> Iterator[IndexArray]:
        """Yield the supports under tolls of the edges that the case leaves open."""
        index = np.delete(np.arange(len(self.problem.edges)), found.case.off)
        for edges in find_supports(self.problem.take(index), point):
            yield index[edges]

    def _open(self, found: _Bounded, softness: Sequence[float] = _SOFTNESS_SPLIT) -> Case:
        """Look for prices that bound a case tightly and for a better support there, and queue it."""
        if not self._is_proven(found):
            surplus = upper_surplus(self.problem, found.case.log_prices)
            start = np.union1d(found.bounds.forced, np.flatnonzero(surplus > 0))
            found = self._narrowed(found.case, self.supports.improve(start, found.case))
        if not self._is_proven(found):
            found = self._narrowed(found.case, self._tightened(found, softness))
        if found.bounds.whole > self.supports.best.worth:
            heappush(self._heap, (-found.bounds.whole, next(self._order), found))
        return found.case

    def _tightened(self, found: _Bounded, softness: Sequence[float]) -> Iterator[FloatArray]:
        """Yield prices near those that bound the case most tightly."""
        case = found.case
        index = np.delete(np.arange(len(self.problem.edges)), case.off)
        costs, largest = self.problem.costs.copy(), self._largest_cost
        costs[case.on] = costs[found.bounds.forced] = -_ALWAYS_ON * largest
        compact, tokens = replace(self.problem, costs=costs).take(index).compact()
        log_prices = case.log_prices[tokens]
        for part in softness:
            tolerance = _SOFT_TOLERANCE * part * largest / self._scale
            solved = solve(compact, log_prices, tolerance, part * largest)
            log_prices = solved.log_prices
            if part * largest <= _PROVEN * self._scale:
                break  # a sharper bend would not tell in the bound
        full = case.log_prices.copy()
        full[tokens] = log_prices
        yield full
        for share in _LIKELY:
            start = index[solved.trade.which[solved.share > share]]
            yield from self.supports.improve(start, replace(case, log_prices=full))

    def _narrowed(self, case: Case, found: Iterable[FloatArray] = ()) -> _Bounded:
        """Return the case at those of its own prices, the best support's and those ``found`` that bound it
        best, without the choices that at any of them are worth less than the best support. Prices at which
        the bound would say nothing of further edges beside the problem do not count."""
        own = find_bounds(self.problem, case, self.ways)
        self._left_out |= frozenset(own.left_out.tolist())
        tried = [_Bounded(case, own)]
        for log_prices in (self.supports.best.log_prices, *found):
            way = replace(case, log_prices=log_prices)
            bounds = find_bounds(self.problem, way, self.ways)
            if self._left_out.issuperset(bounds.left_out.tolist()):
                tried.append(_Bounded(way, bounds))
        closest = min(tried, key=lambda one: one.bounds.whole)
        worth = self.supports.best.worth
        if closest.bounds.whole <= worth:
            return closest
        using = np.min([one.bounds.using for one in tried], axis=0)
        without = np.min([one.bounds.without for one in tried], axis=0)
        free = self._free(case)
        off = free[using[free] < worth]
        on = np.setdiff1d(free[without[free] < worth], off)
        if not (len(off) or len(on)):
            return closest
        narrow = replace(closest.case, on=np.append(case.on, on), off=np.append(case.off, off))
        return _Bounded(narrow, find_bounds(self.problem, narrow, self.ways))

    def _is_proven(self, found: _Bounded) -> bool:
        worth = self.supports.best.worth
        return worth > -np.inf and found.bounds.whole - worth <= _PROVEN * self._scale

    @property
    def _scale(self) -> float:
        """What differences in worth are measured by: an order may be worth just its gas, and so nothing."""
        return max(abs(self.supports.best.worth), self._largest_cost)

    def _worst(self, case: Case) -> int | None:
        """Return the edge to split ``case`` by: the one that keeps its bound farthest from what the best
        support is worth, because it earns and is not used, or is used and loses; or else the one that earns
        most nearly its cost. None where all are decided."""
        free = self._free(case)
        if not len(free):
            return None
        surplus = upper_surplus(self.problem, case.log_prices)
        surplus[self.supports.best.edges] *= -1
        apart = surplus[free]
        return int(free[np.argmax(apart)] if apart.max() > 0 else free[np.argmin(np.abs(apart))])

    def _free(self, case: Case) -> IndexArray:
        """Return the edges that the case does not decide."""
        free = np.ones(len(self.problem.edges), bool)
        free[case.on] = free[case.off] = False
        return np.flatnonzero(free)
