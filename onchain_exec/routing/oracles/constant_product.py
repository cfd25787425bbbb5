"""Constant product, x * y = k, the fee taken from the input: Uniswap v2 and its forks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, Rows, Trade


@dataclass(frozen=True, slots=True)
class ConstantProduct(Rows):
    """``amount_out = reserve_out * d / (reserve_in + d)`` with the input reserve divided by 1 - fee.

    With x = log_price + log(reserve_out / reserve_in) the best trade is
    ``d = reserve_in * (exp(x / 2) - 1)`` (Diamandis et al. 2023, closed form of eq. 7).
    """

    reserve_in: FloatArray
    reserve_out: FloatArray
    _start: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_start", np.log(self.reserve_out / self.reserve_in))

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return self._start

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        excess = log_price + self._start
        (near,) = (excess > -reach).nonzero()
        reserve_in, growth = self.reserve_in[near], np.expm1(np.maximum(excess[near], 0.0) / 2.0)
        grown = 1.0 + growth
        return Trade(
            near, reserve_in * growth, self.reserve_out[near] * growth / grown, reserve_in * grown / 2.0
        )
