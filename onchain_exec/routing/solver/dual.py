"""The prices at which the pools' most profitable trades add up to the order.

The search maximises what is left of the target token, over the trades that pools accept and tokens
that balance. Its Lagrange dual is, for prices v > 0 with v[target] = 1,

    g(v) = sum(endowment * v) + sum over edges of max(0, profit_e(v) - cost_e)
    profit_e(v) = max over trades of (v[out] * amount_out - v[in] * amount_in)

(Diamandis, Resnick, Chitra, Angeris 2023, eq. 4, and with costs the bound of a choice of edges).
Every g(v) bounds the optimum from above; without costs the least one, which is found here, equals it.
In log prices the Hessian is a graph Laplacian whose conductances are ``v[in] * slope`` plus a diagonal,
so Newton's step is the flow of a resistor network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from onchain_exec.routing.oracles import Edges, FloatArray, IndexArray, Trade
from onchain_exec.routing.solver.linear_system import solve_symmetric

TRIFLE: Final = 1e-8
"""A trade of this part of the largest is rounding, unless it earns something."""

_TRIFLING_PROFIT: Final = 1e-11
_TRIFLING_PART: Final = 1e-3
"""Of what a token passes on: where more of it came from trifles, those are none."""

_MAX_STEP: Final = 2.0
_MAX_ITERATIONS: Final = 200
_FIRST_REACH: Final = 0.006
_REACH_SHRINKS: Final = 0.25
_LEAST_DAMPING: Final = 1e-14
_FIRST_DAMPING: Final = 1e-10
_HIGHEST: Final = 50.0
_LOWEST: Final = -200.0
"""In log price from the start. What is sold into nothing becomes worthless; what is owed beyond all
that the pools hold becomes priceless, and then there is no route."""

_FAR: Final = 1e-4
"""A relative gap that noise does not explain: a price is on its way from nothing to something."""

_MOST_IDLE: Final = 12
"""Steps that promise or find nothing."""

_NOTHING: Final = 1e-300
_MOST_DAMPING: Final = 1e6
_SHARES: Final = tuple(0.5**halvings for halvings in range(14))
_SHORT: Final = 0.1
"""Of a step: what is tried of it, and below what it is looked for what lies in its way."""

_BEYOND: Final = 1 + 1e-9
_AWAKE: Final = 1e-12
"""In log price from trading: the first prices put edges of the best ways there, but for rounding."""

_HARDER: Final = 100.0
"""Of the damping, after a step that failed."""

_ARMIJO: Final = 1e-4
_STEEP: Final = 10.0
"""Times the slope that promised a descent."""

_NOISE: Final = 1e-15
"""Relative to the value: what evaluating it loses. A step that promises less is the last."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Edges between tokens 0..n-1, what is at hand of each token (negative: what is owed), in base
    units, and which token to maximise. ``costs`` is what using each edge costs, in units of the target."""

    edges: Edges
    endowment: FloatArray
    target: int
    costs: FloatArray

    def take(self, index: IndexArray) -> Problem:
        """Return the problem with the edges at ``index`` only."""
        return Problem(self.edges.take(index), self.endowment, self.target, self.costs[index])

    def compact(self) -> tuple[Problem, IndexArray]:
        """Return the problem without the tokens that nothing touches, and the numbers of the others."""
        tokens, label = self.edges.number_tokens(len(self.endowment), self.target)
        edges, target = self.edges.relabelled(label), int(label[self.target])
        return Problem(edges, self.endowment[tokens], target, self.costs), tokens


@dataclass(frozen=True)
class DualPoint:
    """Prices of a problem's tokens, the trades they cause, the dual's value and the imbalance.

    Of each of the trades: its tokens, and what it takes and gives in units of the target. ``imbalance`` is
    v * (what is left over), 0 off the target in the optimum.
    """

    problem: Problem
    log_prices: FloatArray
    prices: FloatArray
    trade: Trade
    source: IndexArray
    target: IndexArray
    taken: FloatArray
    given: FloatArray
    value: float
    imbalance: FloatArray

    @cached_property
    def gap(self) -> float:
        """The sum of the imbalance, what is missing being worth what is bought with it: near the optimum
        the first-order bound of what the value exceeds it by, and far from it no illusion that a token
        at a price of nothing is no loss."""
        missing, (short,) = np.abs(self.imbalance), (self.imbalance < 0).nonzero()
        if len(short):
            size = len(missing)
            bought = np.bincount(self.source, self.given, size)[short]
            spent = np.bincount(self.source, self.taken, size)[short]
            missing[short] *= np.maximum(bought / np.maximum(spent, _NOTHING), 1.0)
        return float(missing.sum())

    def closes_to(self, gap: float) -> bool:
        """Return whether `gap` is at most so much: where the imbalance is more, it need not be known."""
        return float(np.abs(self.imbalance).sum()) <= gap and self.gap <= gap

    @cached_property
    def substantial(self) -> IndexArray:
        """The places in ``trade`` of those that are more than rounding and give at least one unit: by what
        they move, by what they earn, or because others pass on what they give, or nothing else sells what
        is at hand."""
        whole = self.trade.amount_out >= 1.0
        moves = self.taken > TRIFLE * float(self.taken.max(initial=0.0))
        chosen = whole & (moves | (self.profit > _TRIFLING_PROFIT * abs(self.value)))
        owned, size = self.prices * self.problem.endowment, len(self.prices)
        while (rest := whole & ~chosen).any():
            spent = np.bincount(self.source[chosen], self.taken[chosen], size)
            held = owned + np.bincount(self.target[chosen], self.given[chosen], size)
            short, idle = held < (1 - _TRIFLING_PART) * spent, spent < (1 - _TRIFLING_PART) * owned
            short[self.problem.target] = idle[self.problem.target] = False
            lacking = rest & (short[self.target] | idle[self.source])
            if not lacking.any():
                break
            chosen |= lacking
        return chosen.nonzero()[0]

    @property
    def profit(self) -> FloatArray:
        """What each of the trades earns."""
        return self.given - self.taken

    @property
    def used(self) -> IndexArray:
        """The edges that trade."""
        return self.trade.which[self.trade.amount_in > 0]

    def profits(self, count: int) -> FloatArray:
        """Return what each of ``count`` edges earns, 0 where it does not trade."""
        profits = np.zeros(count)
        profits[self.trade.which] = self.profit
        return profits


def evaluate(problem: Problem, log_prices: FloatArray, reach: float = 0.0) -> DualPoint:
    """Return the dual at ``log_prices``, where costs are not charged."""
    edges, prices = problem.edges, np.exp(log_prices)
    trade = edges.trade(log_prices, reach)
    source, target = edges.source[trade.which], edges.target[trade.which]
    given, taken = prices[target] * trade.amount_out, prices[source] * trade.amount_in
    size = len(log_prices)
    imbalance = prices * problem.endowment
    value = float(imbalance.sum() + (given - taken).sum())
    imbalance += np.bincount(target, given, size)
    imbalance -= np.bincount(source, taken, size)
    imbalance[problem.target] = 0.0
    return DualPoint(problem, log_prices, prices, trade, source, target, taken, given, value, imbalance)


def solve(
    problem: Problem, log_prices: FloatArray, tolerance: float = 1e-9, lowest: float = _LOWEST
) -> DualPoint:
    """Return the dual's minimum, by damped Newton from ``log_prices``, to a relative gap or to what
    floats can tell apart. Owing more than the pools hold, it has none: the prices run away. So they do where
    more is sold than pools take; they are not followed below ``lowest`` from the start.

    ``reach`` lets an edge that is about to trade resist the step before it does; it shrinks
    geometrically, so that the active edges settle in a few steps. A step that does not descend is
    shortened, then damped, with the first reach again; while long steps descend, longer ones are tried.
    Nothing is random.
    """
    reach, damping, longest, idle = _FIRST_REACH, _LEAST_DAMPING, _MAX_STEP, 0
    point = evaluate(problem, log_prices, reach)
    for _ in range(_MAX_ITERATIONS):
        closed = point.closes_to(tolerance * abs(point.value))
        if closed or damping > _MOST_DAMPING or idle > _MOST_IDLE:
            break
        step = _newton_step(point, damping)
        expected = -float(step.dot(point.imbalance)) / 2
        if expected <= _NOISE * abs(point.value) and damping <= _FIRST_DAMPING:
            idle += 1
            if point.closes_to(_FAR * abs(point.value)):
                break
        length = float(np.abs(step).max())
        if length > longest:
            step *= longest / length
        ahead = point.log_prices + step
        moved = ahead - log_prices
        if moved.max() > _HIGHEST or moved.min() < lowest:
            break
        reach *= _REACH_SHRINKS
        found = _descend(point, step, ahead, reach)
        whole = found is not None and found.log_prices is ahead
        longest = longest * 2 if whole and length > longest else _MAX_STEP
        damping = max(damping / 10, _LEAST_DAMPING) if found else max(damping * _HARDER, _FIRST_DAMPING)
        idle += found is None
        if found is None:  # an edge out of reach may be in the way: let it resist
            reach = _FIRST_REACH
            found = evaluate(problem, point.log_prices, reach)
        point = found
    return point


def _descend(point: DualPoint, step: FloatArray, ahead: FloatArray, reach: float) -> DualPoint | None:
    """Return the point ``ahead``, or less of ``step`` away, that descends enough (Armijo), or None.

    Where the whole step wakes an edge so wide that it rises steeply, the step from there knows that edge:
    both together are tried before a part of the first.
    """
    slope = float(step.dot(point.imbalance))

    def try_share(share: float) -> tuple[DualPoint, bool]:
        log_prices = ahead if share == 1 else point.log_prices + share * step
        trial = evaluate(point.problem, log_prices, reach)
        if share == 1 and trial.value - point.value > _STEEP * abs(slope):
            back = _newton_step(trial, _LEAST_DAMPING)
            if np.abs(back).max() <= np.abs(step).max():
                trial = evaluate(point.problem, trial.log_prices + back, reach)
        limit = point.value + _ARMIJO * share * slope + _NOISE * abs(point.value)
        return trial, trial.value <= limit

    for share in _SHARES:
        if share < _SHORT and len(waking := _find_waking(point, step)):
            return _descend_to_kink(step, waking, try_share)
        trial, descends = try_share(share)
        if descends:
            return trial
    return None


def _find_waking(point: DualPoint, step: FloatArray) -> FloatArray:
    """Return, in order, the short parts of ``step`` after which edges wake that do not trade yet."""
    edges, log_prices = point.problem.edges, point.log_prices
    asleep = log_prices[edges.source] - log_prices[edges.target] - edges.start()
    nearing = step[edges.target] - step[edges.source]
    waking = (asleep > _AWAKE) & (asleep < _SHORT * nearing)
    return np.sort(asleep[waking] / nearing[waking])


def _descend_to_kink(
    step: FloatArray, waking: FloatArray, try_share: Callable[[float], tuple[DualPoint, bool]]
) -> DualPoint | None:
    """Return the point just beyond the last of the shares ``waking`` of ``step`` up to which the value falls,
    if it descends enough: the next step meets the resistance of the edge that wakes there."""
    found: DualPoint | None = None
    low, high = 0, len(waking)
    while low < high:
        middle = (low + high) // 2
        trial, descends = try_share(float(waking[middle]) * _BEYOND)
        if descends:
            found = trial
        if descends and float(step @ trial.imbalance) < 0:
            low = middle + 1
        else:
            high = middle
    return found


def _newton_step(point: DualPoint, damping: float) -> FloatArray:
    """Return the step in log prices: the target's stays 0."""
    source, target, size = point.source, point.target, len(point.prices)
    weight = point.prices[source] * point.trade.slope
    diagonal = np.bincount(source, weight, size) + np.bincount(target, weight, size)
    scale = float(diagonal.max(initial=0.0)) or point.gap or 1.0
    least: FloatArray | float = damping * scale
    if not diagonal.all():  # what nothing resists yet goes as far as a step may
        free = (diagonal == 0) * np.abs(point.imbalance) / _MAX_STEP
        least = np.maximum(least * (free == 0), free)
    diagonal = diagonal + np.maximum(point.imbalance, 0.0) + least
    diagonal[point.problem.target] = np.inf  # its price is the unit: its step is 0
    return solve_symmetric(source, target, weight, diagonal, -point.imbalance)
