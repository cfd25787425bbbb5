"""The bound of a case with its kinks rounded off, in prices and payments together, and its minimum.

An edge adds max(0, surplus) to the bound, its surplus being its profit less its shared cost; here it adds
``softness * log(1 + exp(surplus / softness))``, whose slope is how much of the edge counts, from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from onchain_exec.routing.oracles import FloatArray, IndexArray
from onchain_exec.routing.solver.dual import Problem
from onchain_exec.routing.solver.linear_system import solve_symmetric

_MOST_STEPS: Final = 60
_LONGEST: Final = 0.5
"""In log price."""

_FURTHEST: Final = 1e9
"""In log price: where next to nothing resists, what a whole step promises would be no double."""

_ENOUGH: Final = 0.1
"""Of the softness: a step that promises less is not taken."""

_SHARES: Final = tuple(0.4**shorter for shorter in range(8))
_ARMIJO: Final = 1e-4
_NOISE: Final = 1e-15
_LEAST_DAMPING: Final = 1e-12
_FIRST_DAMPING: Final = 1e-8
_MOST_DAMPING: Final = 1e3
_HARDER: Final = 100.0
_STIFFNESS: Final = 1e-3
"""Of a payment, over the softness: where no edge that it reaches counts in part, nothing else resists it."""

_COUNTS: Final = 1e-6
"""Of an edge, in part: what bends less is as good as straight."""

_PAID: Final = 2
_GIVEN: Final = 4
_PLACES: Final = 6
"""What an edge depends on: the prices of its source and target; what it pays to the edges before it and to
those after it; what it is given by those that it is before, and by those that it is after."""


class Decided(NamedTuple):
    """Rows of edges that are used whatever they earn, and of edges that are not."""

    on: IndexArray
    off: IndexArray


class Point(NamedTuple):
    """Log prices, then payments; the value there and its gradient; and by row how much of its edge counts,
    the slopes of its surplus by place, and its conductance."""

    variables: FloatArray
    value: float
    gradient: FloatArray
    share: FloatArray
    slopes: FloatArray
    conductance: FloatArray


class Softened:
    """The softened bound over the edges ``playing``; all others trade nothing, and count by their costs where
    these are shared. ``paying`` says which of those that play pay, before them and after them.

    ``edges`` are those of the rows: first those that play, then those that are given something. The
    variables are log prices of ``tokens``, then what the ``payers`` pay. All that is paid over one side of
    a token is a sum, which every edge there is given: sums are numbered after the variables, nothing last.
    """

    def __init__(
        self, problem: Problem, beside: Problem, playing: IndexArray, paying: NDArray[np.bool_]
    ) -> None:
        self._part, self.tokens = problem.take(playing).compact()
        self._prices, size = len(self.tokens), len(problem.endowment)
        source = np.append(problem.edges.source, beside.edges.source)
        target = np.append(problem.edges.target, beside.edges.target)
        self.payers = side, payer = np.nonzero(paying)
        self._count = self._prices + len(payer)
        over = side * size + np.where(side, target[payer], source[payer])
        paid_over, member = np.unique(over, return_inverse=True)
        self._sum = self._count + member
        self._nothing = self._count + len(paid_over)
        given = np.full(2 * size, self._nothing)
        given[paid_over] = np.arange(self._count, self._nothing)
        given_by = np.stack((given[target], given[size + source]), axis=1)
        reached = (given_by < self._nothing).any(axis=1)
        reached[playing] = False
        self.edges = np.append(playing, np.flatnonzero(reached))
        self._costs = np.append(problem.costs, beside.costs)[self.edges]
        self._place, self._slopes = self._lay_out(given_by[self.edges])
        self._members = _Members.of(self._prices, member)

    def _lay_out(self, given_by: IndexArray) -> tuple[IndexArray, FloatArray]:
        """Return which number stands at each place of each row, and the slope there where it is no price."""
        edges, (side, payer) = self._part.edges, self.payers
        playing = self.edges[: len(edges)]
        place = np.full((len(self.edges), _PLACES), self._nothing)
        place[: len(edges), 0], place[: len(edges), 1] = edges.source, edges.target
        place[:, _GIVEN:] = given_by
        slopes = np.zeros(place.shape)
        slopes[:, _GIVEN:] = given_by < self._nothing
        own = np.searchsorted(playing, payer), _PAID + side
        place[own] = np.arange(self._prices, self._count)
        slopes[own] = -1.0
        return place, slopes

    def rows(self, edges: IndexArray) -> IndexArray:
        """Return the rows of those of ``edges`` that have one."""
        return np.flatnonzero(np.isin(self.edges, edges))

    def minimise(self, variables: FloatArray, softness: float, decided: Decided) -> Point:
        """Return about the least value, by damped Newton from ``variables``; payments stay 0 or more."""
        point, damping = self._evaluate(variables, softness, decided), _LEAST_DAMPING
        for _ in range(_MOST_STEPS):
            step = self._newton_step(point, softness, damping, decided)
            promised = -float((self._move(point, step) - point.variables) @ point.gradient) / 2
            if promised <= _ENOUGH * softness or damping > _MOST_DAMPING:
                break
            if (found := self._descend(point, step, softness, decided)) is None:
                damping = max(damping * _HARDER, _FIRST_DAMPING)
            else:
                point, damping = found, max(damping / 10, _LEAST_DAMPING)
        return point

    def _descend(self, point: Point, step: FloatArray, softness: float, decided: Decided) -> Point | None:
        """Return the point a share of ``step`` away that descends enough (Armijo), or None."""
        longest = float(np.abs(step[: self._prices]).max())
        step = step * min(1.0, _LONGEST / max(longest, _LONGEST))
        for share in _SHARES:
            moved = self._move(point, share * step)
            slope = float((moved - point.variables) @ point.gradient)
            trial = self._evaluate(moved, softness, decided)
            if trial.value <= point.value + _ARMIJO * slope + _NOISE * abs(point.value):
                return trial
        return None

    def _move(self, point: Point, step: FloatArray) -> FloatArray:
        moved = point.variables + step
        paid = moved[self._prices :]
        np.maximum(paid, 0.0, out=paid)
        return moved

    def _evaluate(self, variables: FloatArray, softness: float, decided: Decided) -> Point:
        edges, prices = self._part.edges, np.exp(variables[: self._prices])
        trade = edges.trade(variables[: self._prices])
        value_in = prices[edges.source[trade.which]]
        slopes, conductance = self._slopes.copy(), np.zeros(len(edges))
        slopes[trade.which, 0] = -value_in * trade.amount_in
        slopes[trade.which, 1] = prices[edges.target[trade.which]] * trade.amount_out
        conductance[trade.which] = value_in * trade.slope
        paid = variables[self._prices :]
        amounts = np.concatenate(
            (np.ones(self._prices), paid, np.bincount(self._sum - self._count, paid), np.zeros(1))
        )
        surplus = (slopes * amounts[self._place]).sum(axis=1) - self._costs
        log_odds = surplus / softness
        softened = np.logaddexp(0.0, log_odds)
        share, worth = np.exp(log_odds - softened), softness * softened
        share[decided.on], worth[decided.on] = 1.0, surplus[decided.on]
        share[decided.off] = worth[decided.off] = 0.0
        total = np.bincount(self._place.ravel(), (share[:, None] * slopes).ravel(), self._nothing + 1)
        owned, gradient = prices * self._part.endowment, np.zeros(self._count)
        gradient += total[: self._count]
        gradient[: self._prices] += owned
        gradient[self._part.target] = 0.0  # its price is the unit
        gradient[self._prices :] += total[self._sum]
        return Point(variables, float(owned.sum() + worth.sum()), gradient, share, slopes, conductance)

    def _newton_step(self, point: Point, softness: float, damping: float, decided: Decided) -> FloatArray:
        first, second, between = self._curvature(point, softness, decided)
        weight = point.share[: len(point.conductance)] * point.conductance
        source, target = self._part.edges.source, self._part.edges.target
        own, pairs = first == second, first < second
        diagonal = np.zeros(self._count)
        diagonal += np.bincount(first[own], between[own], self._count)
        price, payment = diagonal[: self._prices], diagonal[self._prices :]
        gradient = point.gradient[: self._prices]
        price += np.bincount(source, weight, self._prices) + np.bincount(target, weight, self._prices)
        price += np.maximum(gradient, 0.0) + damping * float(price.max())
        price += np.abs(gradient) * (price == 0)  # what nothing resists goes as far as a step may
        price[self._part.target] = np.inf
        payment += _STIFFNESS / softness + damping * float(payment.max(initial=0.0))
        unpaid = point.variables[self._prices :] <= 0
        payment[unpaid & (point.gradient[self._prices :] >= 0)] = np.inf
        step = solve_symmetric(
            np.append(first[pairs], source),
            np.append(second[pairs], target),
            np.append(-between[pairs], weight),
            diagonal,
            -point.gradient,
        )
        step[: self._prices] = step[: self._prices].clip(-_FURTHEST, _FURTHEST)
        return step

    def _curvature(
        self, point: Point, softness: float, decided: Decided
    ) -> tuple[IndexArray, IndexArray, FloatArray]:
        """Return pairs of variables, in both orders, and what the bent kinks add to the Hessian there."""
        bend = point.share * (1 - point.share)
        bend[decided.on] = 0.0
        bent = np.flatnonzero((bend > _COUNTS) & point.slopes.any(axis=1))
        slopes, place = point.slopes[bent], self._place[bent]
        between = ((bend[bent, None] / softness * slopes)[:, :, None] * slopes[:, None, :]).ravel()
        first = np.repeat(place, _PLACES, axis=1).ravel()
        second = np.tile(place, _PLACES).ravel()
        term, first = self._members.spread(first)
        second, between = second[term], between[term]
        term, second = self._members.spread(second)
        return first[term], second, between[term]


@dataclass(frozen=True, slots=True)
class _Members:
    """Which variables each number stands for: a variable for itself, a sum for the payments it is made of,
    nothing for none. Those of number n are ``copies[n]`` from ``first[n]`` on."""

    variables: IndexArray
    copies: IndexArray
    first: IndexArray

    @classmethod
    def of(cls, prices: int, sums: IndexArray) -> Self:
        """Return the members where payments, the first of them after the ``prices``, belong to ``sums``."""
        count = prices + len(sums)
        copies = np.concatenate((np.ones(count, np.intp), np.bincount(sums), [0]))
        variables = np.append(np.arange(count), prices + np.argsort(sums, kind="stable"))
        return cls(variables, copies, np.cumsum(copies) - copies)

    def spread(self, numbers: IndexArray) -> tuple[IndexArray, IndexArray]:
        """Return ``numbers`` with each once for each of its members, as places in ``numbers`` and the
        variables that stand there."""
        copies = self.copies[numbers]
        place = np.repeat(np.arange(len(numbers)), copies)
        nth = np.arange(len(place)) - np.repeat(np.cumsum(copies) - copies, copies)
        return place, self.variables[self.first[numbers[place]] + nth]
