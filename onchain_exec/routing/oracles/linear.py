"""Conversions at a fixed rate up to a limit: ERC-4626 vaults and the wrapped coin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, Rows, Trade

LEAST_BEND: Final = 1e-10
"""How much of the rate is lost up to the largest amount, at least."""

_LOSS: Final = 1e-12
"""How much of it is lost at zero: or else going there and back would be free, but for rounding."""


@dataclass(frozen=True, slots=True)
class Linear(Rows):
    """``rate`` units out per unit in, of ``limit`` units in at most.

    A straight line has no resistance, so that prices alone do not say how much flows. In its place stands
    a constant product with reserves of ``most / bend``, which gives no more than ``slack`` less for up to
    ``most`` units in.
    """

    rate: FloatArray
    limit: FloatArray
    most: FloatArray
    bend: FloatArray

    def sized(self, most_in: FloatArray) -> Self:
        """Return the curves for amounts in of at most ``most_in``."""
        most = np.minimum(self.limit, most_in)
        return replace(self, limit=most, most=most)

    @property
    def slack(self) -> FloatArray:
        """What the line gives beyond the curve at most, units out."""
        return self.rate * self.most * (self.bend + 2 * _LOSS)

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return np.asarray(np.log(self.rate) - _LOSS)

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        excess = log_price + self.start()
        (near,) = np.nonzero(excess > -reach)
        reserve = self.most[near] / self.bend[near]
        wanted = np.expm1(np.maximum(excess[near], 0.0) / 2)
        growth = np.minimum(wanted, self.limit[near] / reserve)
        grown = 1 + growth
        return Trade(
            near,
            reserve * growth,
            self.rate[near] * (1 - _LOSS) * reserve * growth / grown,
            np.where(growth == wanted, reserve * grown / 2, 0.0),
        )
