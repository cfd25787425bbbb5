"""Sets of edges and what they are worth after their costs: the best of those that are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.certificate import Case, Ways
from onchain_exec.routing.solver.dual import Problem, evaluate, solve

_MOST_CHANGES: Final = 120
_DROPPED_AT_ONCE: Final = 0.1
"""Of the edges that lose: what they carried goes to others, which may then earn."""

_CONVERGED: Final = 1e-3
_LOWEST: Final = -20.0
"""In log price from what the token is worth beside other edges: these do not take what comes to them."""


@dataclass(frozen=True, slots=True)
class Support:
    """Edges to use, what they are worth after costs, and the log prices of all tokens there."""

    edges: IndexArray
    worth: float
    log_prices: FloatArray


class Supports:
    """The supports tried so far, and the best of them."""

    def __init__(self, problem: Problem, ways: Ways) -> None:
        self.problem, self.ways = problem, ways
        self.best = Support(np.empty(0, np.intp), -np.inf, np.zeros(len(problem.endowment)))
        self._known: dict[bytes, Support] = {}

    def improve(self, edges: IndexArray, case: Case) -> None:
        """Try supports of ``case`` near ``edges``, until there is none that an edge should leave or join by
        itself."""
        barred = np.isin(np.arange(len(self.problem.edges)), case.off)
        on = case.on[case.on < len(barred)]
        current = self.try_only(np.union1d(edges[~barred[edges]], on), case.log_prices)
        highest = current.worth
        for _ in range(_MOST_CHANGES):
            profit = self._surplus(current.log_prices)
            loser = np.isin(current.edges, on, invert=True) & (profit[current.edges] < 0)
            if loser.any():
                dropped = max(1, int(loser.sum() * _DROPPED_AT_ONCE))
                losses = np.where(loser, profit[current.edges], 0.0)
                edges = np.delete(current.edges, np.argsort(losses, kind="stable")[:dropped])
            else:
                edges = np.union1d(current.edges, np.flatnonzero((profit > 0) & ~barred))
                if len(edges) == len(current.edges):
                    break
            current = self.try_only(edges, current.log_prices)
            if current.worth <= highest and not loser.any():
                break
            highest = max(highest, current.worth)

    def try_only(self, edges: IndexArray, log_prices: FloatArray) -> Support:
        """Return what ``edges`` alone are worth, without those that then carry nothing."""
        part = self.problem.take(edges)
        leading = np.isfinite(self.ways.least_losses(part.edges, np.zeros(len(edges))))
        if not leading.all():
            edges = edges[leading]
            part = self.problem.take(edges)
        if not len(edges):
            return Support(edges, -np.inf, log_prices)
        if (known := self._known.get(edges.tobytes())) is not None:
            return known
        problem, tokens = part.compact()
        point = solve(problem, log_prices[tokens], lowest=_LOWEST)
        full = log_prices.copy()
        full[tokens] = point.log_prices
        used = edges[point.used]
        worth = point.value - float(self.problem.costs[used].sum())
        if point.gap > _CONVERGED * abs(point.value):  # more than these edges can do: the value means nothing
            worth = -np.inf
        found = Support(used, worth, full)
        self.best = max(self.best, found, key=lambda support: support.worth)
        return self._known.setdefault(edges.tobytes(), found)

    def _surplus(self, log_prices: FloatArray) -> FloatArray:
        """Return what each edge earns at the prices beyond its cost."""
        return evaluate(self.problem, log_prices).profits(len(self.problem.edges)) - self.problem.costs
