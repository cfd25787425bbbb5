"""The CryptoSwap invariant of Curve's tricrypto and twocrypto, between two of a pool's balances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray
from onchain_exec.routing.oracles.implicit import Implicit, Place

_MOST_STEPS: Final = 100
_NUDGE: Final = 1e-5
_CLOSE: Final = 1e-11
"""A step of this part is the last: floats know no more, as gamma + 1 - K0 cancels."""

_CONVERGED: Final = 1e-11
"""Of D and of the balance: ten times what the contracts' iterations stop at."""


@dataclass(frozen=True, slots=True)
class Crypto(Implicit):
    """K * sum(x) + prod(x) = K + n**-n with K = factor * K0 / (gamma + 1 - K0)**2 and K0 = n**n * prod(x)
    (the CryptoSwap whitepaper), balances valued in token 0 and in units of D.

    ``others`` is the sum and ``rest`` the product of the balances that stay, ``power`` is n**n. The fee
    moves with the balances: ``unit_out`` has its lowest.
    """

    exact: ClassVar[float] = 1e-11  # gamma + 1 - K0 cancels

    factor: FloatArray
    gamma: FloatArray
    power: FloatArray
    others: FloatArray
    rest: FloatArray
    balance_out: FloatArray

    @property
    def slack(self) -> FloatArray:
        """What the contract may give beyond the curve, base units out: what its balance has beyond the
        invariant, what its iteration leaves, and two units of rounding."""
        surplus = np.maximum(self.balance_out - self._start_out, 0.0)
        return np.asarray(self.unit_out * (surplus + _CONVERGED * (1 + self.balance_out)) + 2)

    def at(self, balance_in: FloatArray) -> Place:
        """Return the curve's point: between where K0 is 1 and where the sum is, by Newton's steps."""
        x = balance_in
        high = 1 / (self.power * x * self.rest)
        low = np.maximum(1 - x - self.others, 0.0)
        y = high
        for _ in range(_MOST_STEPS):
            excess, _, rise = self._slopes(x, y)
            low, high = np.where(excess > 0, low, y), np.where(excess > 0, y, high)
            step = y - excess / rise
            after = np.where((step > low) & (step < high), step, (low + high) / 2)
            done = np.abs(after - y) <= _CLOSE * y
            y = after
            if done.all():
                break
        _, run, rise = self._slopes(x, y)
        # the other balance falls along the curve: a nudge each way stays on it to the second order
        fall = x * run / (y * rise)
        ahead = self._log_price(x * np.exp(_NUDGE), y * np.exp(-_NUDGE * fall))
        behind = self._log_price(x * np.exp(-_NUDGE), y * np.exp(_NUDGE * fall))
        return Place(y, np.log(run / rise), np.minimum((ahead - behind) / (2 * _NUDGE), -_NUDGE))

    def _log_price(self, x: FloatArray, y: FloatArray) -> FloatArray:
        _, run, rise = self._slopes(x, y)
        return np.asarray(np.log(run / rise))

    def _slopes(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the equation's excess and its derivatives by both balances."""
        product, surplus = x * y * self.rest, x + y + self.others - 1
        k0 = self.power * product
        spread = self.gamma + 1 - k0
        k, bend = self.factor * k0 / spread**2, self.factor * (spread + 2 * k0) / spread**3
        shared = bend * k0 * surplus + product
        return k * surplus + product - 1 / self.power, k + shared / x, k + shared / y
