"""Options under Heston's stochastic volatility, by the COS expansion.

dv = kappa (theta - v) dt + sigma sqrt(v) dW, correlated by rho with the forward's. Sources: Heston (1993);
the characteristic function in the form of Albrecher, Mayer, Schoutens, Tistaert (2007), which is
continuous; Fang, Oosterlee, A Novel Pricing Method (2008) for the expansion; Andersen, Piterbarg, Moment
Explosions (2007) for which moments exist, which bound the tails.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onchain_exec.errors import InputError
from onchain_exec.pricing.rows import Floats, require_finite, require_positive, to_rows

_SMALLEST: Final = 1e-17
_ORDERS: Final = np.geomspace(0.02, 16, 64)
"""Of the moments that bound the tails, times the standard deviation; a normal tail's best is 8.8."""

_MAX_TERMS: Final = 1 << 15
_FINE: Final = 16
_BLOCK_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class Heston:
    """``v0`` the variance now, ``kappa`` its pull per year towards ``theta``, ``sigma`` its volatility,
    ``rho`` its correlation with the forward.

    Raises:
        InputError: v0, kappa, theta or sigma not above 0, or rho outside (-1, 1).
    """

    v0: float
    kappa: float
    theta: float
    sigma: float
    rho: float

    def __post_init__(self) -> None:
        if not (min(self.v0, self.kappa, self.theta, self.sigma) > 0 and -1 < self.rho < 1):
            raise InputError(str(self), needed="v0, kappa, theta, sigma > 0, -1 < rho < 1")

    def get_price(
        self, is_call: ArrayLike, forward: float, strike: ArrayLike, years: float, rate: float = 0.0
    ) -> Floats:
        """Return the prices of one expiry's options; ``is_call`` and ``strike`` broadcast.

        The error is about 1e-14 of the forward.

        Raises:
            InputError: forward, strike or years not above 0, or the expansion would need more than
                32,768 terms: expiries of hours with a high sigma, or a variance that is nearly always 0
                (2 kappa theta below a tenth of sigma^2).
        """
        call, strike = to_rows(is_call=is_call, strike=strike)
        require_positive(forward=np.asarray(forward), strike=strike, years=np.asarray(years))
        require_finite(rate=np.asarray(rate))
        low, high = self._find_interval(years)
        weights = self._find_weights(low, high, years)
        k = np.clip(np.log(strike / forward), low, high)
        rows = k.ravel()
        blocks = [rows[start : start + _BLOCK_ROWS] for start in range(0, len(rows), _BLOCK_ROWS)]
        puts = np.concatenate([_sum_puts(weights, block, low, high) for block in blocks])
        put = forward * puts.reshape(k.shape) + np.maximum(strike - forward * math.exp(high), 0.0)
        undiscounted = np.where(call != 0, put + forward - strike, put)
        price: Floats = math.exp(-rate * years) * np.maximum(undiscounted, 0.0)
        return price

    def get_characteristic(self, u: ArrayLike, years: float) -> NDArray[np.complex128]:
        """Return E exp(i u ln(F_T / F_0))."""
        u = np.asarray(u, np.complex128)
        turn = self.kappa - 1j * self.rho * self.sigma * u
        root = np.sqrt(turn * turn + self.sigma**2 * (1j * u + u * u))
        # (turn - root) / sigma^2 and ln(...) / sigma^2, as they do not cancel when sigma is small
        gap = -(1j * u + u * u) / (turn + root)
        ratio = self.sigma**2 * gap / (turn + root)
        decay = np.exp(-root * years)
        level = gap * years - 2 * _log1p(ratio * (1 - decay) / (1 - ratio)) / self.sigma**2
        pull = gap * (1 - decay) / (1 - ratio * decay)
        found: NDArray[np.complex128] = np.exp(self.kappa * self.theta * level + self.v0 * pull)
        return found

    def _find_interval(self, years: float) -> tuple[float, float]:
        """Return where the log return lies, but for what a double cannot tell from nothing."""
        gone = -math.expm1(-self.kappa * years) / self.kappa
        variance = self.theta * (years - gone) + self.v0 * gone
        orders = _ORDERS / math.sqrt(variance)
        return -self._find_reach(-orders, years), self._find_reach(orders, years)

    def _find_reach(self, orders: Floats, years: float) -> float:
        """Return how far the log return X goes, up or for negative orders down: by Chernoff, P(X > x) is at
        most E exp(p X) / exp(p x) for any p of which that moment exists."""
        p = orders[self._find_explosions(orders) > 1.001 * years]
        with np.errstate(over="ignore", invalid="ignore"):
            moments = self.get_characteristic(-1j * p, years).real
        exists = (moments > 0) & (moments < np.inf)
        reach = (np.log(moments[exists]) - math.log(_SMALLEST)) / np.abs(p[exists])
        return float(np.min(reach, initial=np.inf))

    def _find_explosions(self, orders: Floats) -> Floats:
        """Return the years after which E exp(p X) is infinite, by p."""
        drift = self.rho * self.sigma * orders - self.kappa
        rise = orders * (orders - 1)
        root = np.sqrt((drift * drift - self.sigma**2 * rise).astype(np.complex128))
        with np.errstate(divide="ignore", invalid="ignore"):
            waving = 2 * np.arctan2(root.imag, drift) / root.imag
            growing = np.log((drift + root.real) / (drift - root.real)) / root.real
        tame = (rise <= 0) | ((drift < 0) & (root.imag == 0))
        found: Floats = np.where(tame, np.inf, np.where(root.imag > 0, waving, growing))
        return found

    def _find_weights(self, low: float, high: float, years: float) -> Floats:
        terms = 64
        while terms <= _MAX_TERMS and high - low < np.inf:
            last = self.get_characteristic(math.pi * terms / (high - low), years)
            if abs(complex(last)) < _SMALLEST:
                u = math.pi / (high - low) * np.arange(terms)
                found = self.get_characteristic(u, years) * np.exp(-1j * u * low)
                weights: Floats = 2 / (high - low) * found.real
                weights[0] *= 0.5
                return weights
            terms *= 2
        raise InputError(
            f"{self} over {years:g} years: {_MAX_TERMS} terms do not do", needed="a longer expiry"
        )


def _sum_puts(weights: Floats, k: Floats, low: float, high: float) -> Floats:
    """Return puts over the forward at log moneyness k: the sum over n of the weight times the integral
    of (e^k - e^z) cos(u (z - low)) from low to k, u = n pi / (high - low)."""
    u = math.pi / (high - low) * np.arange(len(weights))
    damped = weights / (1 + u * u)
    waves = -damped - 1j * damped / np.maximum(u, u[1])
    waves[0] = -damped[0]
    strike = np.exp(k)
    straight = weights[0] * (k - low)
    found: Floats = strike * (straight + (_rotate(k - low, u) @ waves).real)
    return found + math.exp(low) * float(damped.sum())


def _rotate(distance: Floats, u: Floats) -> NDArray[np.complex128]:
    """Return exp(i u distance), a row per distance; ``u`` is 0, 1, 2 ... times its second. An angle is
    the sum of a coarse and a fine one: one multiplication where an exponential would be."""
    fine = np.exp(1j * np.outer(distance, u[:_FINE]))
    coarse = np.exp(1j * np.outer(distance, u[::_FINE]))
    turned: NDArray[np.complex128] = coarse[:, :, None] * fine[:, None, :]
    return turned.reshape(len(distance), len(u))


def _log1p(z: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Return ln(1 + z), exact for small z too (Kahan's quotient; NumPy's own is not, off the real line)."""
    w = 1 + z
    lost = w == 1
    found: NDArray[np.complex128] = np.where(lost, z, np.log(w) * z / np.where(lost, 1, w - 1))
    return found
