"""Curves that are known by an equation between two balances: StableSwap and Solidly's stable pools."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, fields
from typing import Final, NamedTuple, Self

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, IndexArray, Trade

_MOST_STEPS: Final = 80
_HIGHEST: Final = 40.0
_EXACT: Final = 1e-14


class Place(NamedTuple):
    """A point of a curve: the other balance, the log of the price there (out per in, no fee), and that
    log's derivative by the log of the input balance, which is negative."""

    balance_out: FloatArray
    log_price: FloatArray
    bend: FloatArray


@dataclass(frozen=True, slots=True)
class Implicit:
    """``balance_in`` is where the curve starts, in the scale of its equation; ``unit_in`` (fee
    included) and ``unit_out`` (after the fee) are base units per unit of that scale.

    The price falls along the curve, so the best trade is the root of one monotone function of the
    log of the input balance: Newton's steps, kept in a bracket.
    """

    balance_in: FloatArray
    unit_in: FloatArray
    unit_out: FloatArray

    @abstractmethod
    def at(self, balance_in: FloatArray) -> Place:
        """Return the curve's point at an input balance."""

    def take(self, index: IndexArray) -> Self:
        """Return the curves at ``index``."""
        return type(self)(*(getattr(self, field.name)[index] for field in fields(self)))

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return np.asarray(self.at(self.balance_in).log_price + np.log(self.unit_out / self.unit_in))

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        first = self.at(self.balance_in)
        excess = log_price + first.log_price + np.log(self.unit_out / self.unit_in)
        growth = np.zeros_like(excess)
        trading = np.flatnonzero(excess > 0)
        if len(trading):
            growth[trading] = self.take(trading)._find_growth(first.log_price[trading] - excess[trading])
        last = self.at(self.balance_in * np.exp(growth))
        return Trade(
            self.unit_in * self.balance_in * np.expm1(growth),
            self.unit_out * np.maximum(first.balance_out - last.balance_out, 0.0),
            np.where(excess > -reach, self.unit_in * self.balance_in * np.exp(growth) / -last.bend, 0.0),
        )

    def _find_growth(self, log_price: FloatArray) -> FloatArray:
        """Return the log growth of the input balance at which the curve's log price is ``log_price``."""
        low, high = np.zeros_like(log_price), np.full_like(log_price, _HIGHEST)
        growth = np.zeros_like(log_price)
        for _ in range(_MOST_STEPS):
            place = self.at(self.balance_in * np.exp(growth))
            above = place.log_price - log_price
            if np.abs(above).max() <= _EXACT:
                break
            low, high = np.where(above > 0, growth, low), np.where(above > 0, high, growth)
            step = growth - above / place.bend
            growth = np.where((step > low) & (step < high), step, (low + high) / 2)
        return growth
