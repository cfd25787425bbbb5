"""Weighted products, x**w_in * y**w_out = k, the fee taken from the input: Balancer's weighted pools."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray, Rows, Trade


@dataclass(frozen=True, slots=True)
class Weighted(Rows):
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
    _start: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_start", np.log(self.balance_out * self.ratio / self.balance_in))

    def start(self) -> FloatArray:
        """Return the log of the marginal rate at zero."""
        return self._start

    def trade(self, log_price: FloatArray, reach: float) -> Trade:
        """Return the best trades; see `Curves`."""
        excess = log_price + self._start
        (near,) = np.nonzero(excess > -reach)
        balance_in, ratio = self.balance_in[near], self.ratio[near]
        wanted = np.maximum(excess[near], 0.0) / (ratio + 1)
        growth = np.minimum(wanted, np.log1p(self.largest[near]))
        return Trade(
            near,
            balance_in * np.expm1(growth),
            -self.balance_out[near] * np.expm1(-ratio * growth),
            np.where(growth == wanted, balance_in * np.exp(growth) / (ratio + 1), 0.0),
        )
