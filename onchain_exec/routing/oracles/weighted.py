"""Weighted products, x**w_in * y**w_out = k, the fee taken from the input: Balancer's weighted pools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, IndexArray, Trade


@dataclass(frozen=True, slots=True)
class Weighted:
    """``amount_out = balance_out * (1 - (balance_in / (balance_in + d)) ** ratio)``, with the input
    balance divided by 1 - fee and ``ratio`` = weight_in / weight_out.

    With x the excess of the log price over its start, the best trade is
    ``d = balance_in * (exp(x / (ratio + 1)) - 1)``. A pool of several tokens is a curve per pair:
    using two of them at once counts its balances twice, which only loosens a bound. ``largest`` is
    what the contract takes at most, as a multiple of the balance.
    """

    balance_in: FloatArray
    balance_out: FloatArray
    ratio: FloatArray
    largest: FloatArray

    def take(self, index: IndexArray) -> Self:
        """Return the curves at ``index``."""
        columns = (self.balance_in, self.balance_out, self.ratio, self.largest)
        return type(self)(*(column[index] for column in columns))

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return np.asarray(np.log(self.balance_out * self.ratio / self.balance_in))

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        excess = log_price + self.start()
        wanted = np.maximum(excess, 0.0) / (self.ratio + 1)
        growth = np.minimum(wanted, np.log1p(self.largest))
        inside = (excess > -reach) & (growth == wanted)
        return Trade(
            self.balance_in * np.expm1(growth),
            -self.balance_out * np.expm1(-self.ratio * growth),
            np.where(inside, self.balance_in * np.exp(growth) / (self.ratio + 1), 0.0),
        )
