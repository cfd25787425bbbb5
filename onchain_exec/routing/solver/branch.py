"""Which pools are worth their gas: branch and bound with certified bounds.

Each edge costs a fixed amount if it is used at all. Relaxing that in the dual gives a bound, which is loose
by the edges that count there in part. Those are branched on: switched on, the cost is paid and the edge is
free; switched off, it is gone. Edges beside the problem carry nothing in what is found, but routes may use
them where gas turns pools' profits around: they are numbered after those of the problem, and decided alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from typing import Final, NamedTuple

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.certificate import Bounds, Case, Ways, find_bounds, find_earning
from onchain_exec.routing.solver.dual import DualPoint, Problem
from onchain_exec.routing.solver.record import Record
from onchain_exec.routing.solver.relaxation import Relaxation
from onchain_exec.routing.solver.supports import Support, Supports

_LIKELY: Final = 0.5
"""How much of an edge counts in a relaxed case: a support is tried of those above."""

_SOFTNESS: Final = 0.01
"""Of the largest cost: how far the kinks of a case's bound are rounded off."""

_BLURRED: Final = 3.0
"""Times the softness: it may be all that is left of a gap. It is reduced then."""

_SHARPER: Final = 0.1
_PROVEN: Final = 1e-7
_MOST_NODES: Final = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """The best support found, what no other is worth more than, and log prices that bound all choices
    together. ``left_out`` are edges beside the problem of which the bound says nothing. ``record`` is what
    was inferred of all choices, if that is asked for; None without costs, where the prices are enough."""

    support: Support
    bound: float
    log_prices: FloatArray
    left_out: IndexArray
    record: Record | None


def choose_edges(
    point: DualPoint, ways: Ways, single: Sequence[int], expired: Callable[[], bool], *, recorded: bool
) -> Choice:
    """Return the edges that are worth most after costs, from ``point``, the solution without costs, and from
    the edges of a ``single`` path, which are enough for a small order.

    Stops when the proof is complete to 1e-7, or at the first node after ``expired`` says so.
    """
    problem, beside = point.problem, ways.beside
    left_out = find_earning(beside, point.log_prices, point.value)
    ways = replace(ways, beside=beside.take(np.delete(np.arange(len(beside.edges)), left_out)))
    if problem.costs.any():
        tree = _Tree(problem, ways, left_out, recorded=recorded)
        return tree.search(point, np.sort(np.array(single, np.intp)), expired)
    bounds = find_bounds(problem, Case(point.log_prices), replace(ways, ends=None))  # ways lose nothing
    support = Support(point.trade.which[point.substantial], point.value, point.log_prices)
    return Choice(support, bounds.whole, point.log_prices, left_out, None)


class _Open(NamedTuple):
    """A case that may hold something better: the edges that count in it relaxed, by how much each of them
    counts in part, times what it takes, and what was inferred of it."""

    case: Case
    likely: IndexArray
    doubt: FloatArray
    record: Record


class _Tree:
    """Open cases by their bounds, the highest first."""

    def __init__(self, problem: Problem, ways: Ways, left_out: IndexArray, *, recorded: bool) -> None:
        self.problem, self.ways, self.supports = problem, ways, Supports(problem, ways)
        self._left_out, self._recorded = left_out, recorded
        self._searched = len(problem.edges)
        self._all = self._searched + len(ways.beside.edges)
        self._relaxation = Relaxation(problem, ways.beside)
        self._largest_cost = float(problem.costs.max())
        self._heap: list[tuple[float, int, _Open]] = []
        self._order = count()
        self._undecided = -np.inf

    def search(self, point: DualPoint, single: IndexArray, expired: Callable[[], bool]) -> Choice:
        """Split the case with the highest bound until no bound is above what is found."""
        for edges in (single, point.used):
            self.supports.try_only(edges, point.log_prices)
        record = Record()
        root = self._open(self._narrowed(Case(point.log_prices), record, self._of_best())[0], record)
        for _ in range(_MOST_NODES):
            nothing_does = self.supports.best.worth == -np.inf  # not even all edges, and for nothing
            if nothing_does or not self._heap or self._is_proven(-self._heap[0][0]):
                break
            bound, _, opened = self._heap[0]
            self.supports.improve(opened.likely, opened.case)
            if self._is_proven(-bound) or expired():
                break
            heappop(self._heap)
            case, bounds = self._narrowed(opened.case, opened.record, self._of_best())
            if not len(self._free(case)):
                on = np.sort(case.on[case.on < self._searched])
                support = self.supports.try_only(on, case.log_prices)
                bounds = self._narrowed(case, opened.record, Case(support.log_prices))[1]
                self._undecided = max(self._undecided, bounds.whole)
                continue
            edge = self._most_doubtful(case, opened.doubt, bounds)
            using, without = Record(), Record()
            opened.record.split = edge, using, without
            self._open(replace(case, on=np.append(case.on, edge)), using)
            self._open(replace(case, off=np.append(case.off, edge)), without)
        best = self.supports.best
        highest = -self._heap[0][0] if self._heap else -np.inf
        bound = max(best.worth, highest, self._undecided)
        return Choice(best, bound, root.log_prices, self._left_out, record if self._recorded else None)

    def _open(self, case: Case, record: Record) -> Case:
        """Queue a case, and return it with prices and payments that bound it tightly."""
        case, bounds = self._narrowed(case, record)
        likely, doubt, softness = np.empty(0, np.intp), np.zeros(self._all), _SOFTNESS
        worth = self.supports.best.worth
        while worth > -np.inf and not self._is_proven(bounds.whole):
            relaxed = self._relaxation.relax(case, softness)
            likely = np.flatnonzero(relaxed.share[: self._searched] > _LIKELY)
            doubt = np.minimum(relaxed.share, 1 - relaxed.share) * relaxed.taken
            case, bounds = self._narrowed(case, record, relaxed.case)
            if bounds.whole - worth > _BLURRED * softness * self._largest_cost:
                break
            softness *= _SHARPER
        if bounds.whole > worth:
            heappush(self._heap, (-bounds.whole, next(self._order), _Open(case, likely, doubt, record)))
        return case

    def _of_best(self) -> Case:
        """Return all choices at the best support's prices."""
        return Case(self.supports.best.log_prices)

    def _narrowed(self, case: Case, record: Record, *others: Case) -> tuple[Case, Bounds]:
        """Return the case at those prices and payments, its own or of ``others``, that bound it best, without
        the choices that at any of them are worth less than the best support."""
        while True:
            tried = [(case, find_bounds(self.problem, case, self.ways))]
            for other in others:
                way = replace(case, log_prices=other.log_prices, paid=other.paid)
                tried.append((way, find_bounds(self.problem, way, self.ways)))
            case, closest = min(tried, key=lambda one: one[1].whole)
            worth, free = self.supports.best.worth, self._free(case)
            off = on = free[:0]
            if closest.whole > worth:
                using = np.min([bounds.using[free] for _, bounds in tried], axis=0)
                without = np.min([bounds.without[free] for _, bounds in tried], axis=0)
                off, on = free[using < worth], free[(without < worth) & (using >= worth)]
            if self._recorded:
                record.note(case, closest.whole, tried, on, off)
            if not (len(off) or len(on)):
                return case, closest
            case = replace(case, on=np.append(case.on, on), off=np.append(case.off, off))

    def _is_proven(self, bound: float) -> bool:
        worth = self.supports.best.worth
        return worth > -np.inf and bound - worth <= _PROVEN * self._scale

    @property
    def _scale(self) -> float:
        """What differences in worth are measured by: an order may be worth just its gas, and so nothing."""
        return max(abs(self.supports.best.worth), self._largest_cost)

    def _most_doubtful(self, case: Case, doubt: FloatArray, bounds: Bounds) -> int:
        """Return the edge to split ``case`` by, of those that it does not decide: where none of them counts
        in part, one of the way that the bound takes to lose least."""
        free = self._free(case)
        doubt = doubt[free] if doubt[free].any() else bounds.using[free]
        return int(free[np.argmax(doubt)])

    def _free(self, case: Case) -> IndexArray:
        """Return the edges that the case does not decide."""
        free = np.ones(self._all, bool)
        free[case.on] = free[case.off] = False
        return np.flatnonzero(free)
