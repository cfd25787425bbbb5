"""Constant product, x * y = k, the fee taken from the input: Uniswap v2 and its forks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, IndexArray, Trade


@dataclass(frozen=True, slots=True)
class ConstantProduct:
    """``amount_out = reserve_out * d / (reserve_in + d)`` with the input reserve divided by 1 - fee.

    With x = log_price + log(reserve_out / reserve_in) the best trade is
    ``d = reserve_in * (exp(x / 2) - 1)`` (Diamandis et al. 2023, closed form of eq. 7).
    """

    reserve_in: FloatArray
    reserve_out: FloatArray

    def take(self, index: IndexArray) -> Self:
        """Return the curves at ``index``."""
        return type(self)(self.reserve_in[index], self.reserve_out[index])

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return np.asarray(np.log(self.reserve_out / self.reserve_in))

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        excess = log_price + self.start()
        growth = np.expm1(np.maximum(excess, 0.0) / 2)
        return Trade(
            self.reserve_in * growth,
            self.reserve_out * growth / (1 + growth),
            np.where(excess > -reach, self.reserve_in * (1 + growth) / 2, 0.0),
        )
