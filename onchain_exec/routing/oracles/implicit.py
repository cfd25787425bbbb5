"""Curves that are known by an equation between two balances: StableSwap and Solidly's stable pools."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from onchain_exec.routing.oracles.curves import NO_TRADES, FloatArray, Rows, Trade

_MOST_STEPS: Final = 80
_HIGHEST: Final = 40.0
_EXACT: Final = 1e-14
"""To which the log of the price is found: not less than floats lose in it."""


class Place(NamedTuple):
    """A point of a curve: the other balance, the log of the price there (out per in, no fee), and that
    log's derivative by the log of the input balance, which is negative."""

    balance_out: FloatArray
    log_price: FloatArray
    bend: FloatArray


@dataclass(frozen=True, slots=True)
class Implicit(Rows):
    """``balance_in`` is where the curve starts, in the scale of its equation; ``unit_in`` (fee
    included) and ``unit_out`` (after the fee) are base units per unit of that scale.

    The price falls along the curve, so the best trade is the root of one monotone function of the
    log of the input balance: Newton's steps, kept in a bracket.
    """

    balance_in: FloatArray
    unit_in: FloatArray
    unit_out: FloatArray
    _start: FloatArray = field(init=False)
    _start_out: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        first = self.at(self.balance_in)
        object.__setattr__(self, "_start", first.log_price + np.log(self.unit_out / self.unit_in))
        object.__setattr__(self, "_start_out", first.balance_out)

    @abstractmethod
    def at(self, balance_in: FloatArray) -> Place:
        """Return the curve's point at an input balance."""

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return self._start

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        (near,) = np.nonzero(log_price + self._start > -reach)
        if not len(near):
            return NO_TRADES
        curves = self.take(near)
        growth = curves._find_growth(-log_price[near])
        last, scale = curves.at(curves.balance_in * np.exp(growth)), curves.unit_in * curves.balance_in
        return Trade(
            near,
            scale * np.expm1(growth),
            curves.unit_out * np.maximum(curves._start_out - last.balance_out, 0.0),
            scale * np.exp(growth) / -last.bend,
        )

    def _find_growth(self, log_rate: FloatArray) -> FloatArray:
        """Return the log growth of the input balance at which the marginal rate is down to ``log_rate``,
        and 0 where it is below from the start."""
        unit = np.log(self.unit_out / self.unit_in)
        wanted = np.minimum(log_rate, self._start) - unit
        low, high = np.zeros_like(wanted), np.full_like(wanted, _HIGHEST)
        growth: FloatArray = np.zeros_like(wanted)
        for _ in range(_MOST_STEPS):
            place = self.at(self.balance_in * np.exp(growth))
            above = place.log_price - wanted
            if np.abs(above).max(initial=0.0) <= _EXACT:
                break
            low, high = np.where(above > 0, growth, low), np.where(above > 0, high, growth)
            step = growth - above / place.bend
            growth = np.where((step > low) & (step < high), step, (low + high) / 2)
        return growth
