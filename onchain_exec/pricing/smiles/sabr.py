"""SABR: one expiry's smile by Hagan's expansion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from onchain_exec.errors import InputError
from onchain_exec.pricing.rows import Floats, require_positive, to_rows

_MAX_RHO: Final = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Sabr:
    """``alpha`` the level, ``beta`` the backbone in [0, 1], ``nu`` the volatility of volatility,
    ``rho`` their correlation.

    Raises:
        InputError: a parameter outside its range.
    """

    alpha: float
    beta: float
    nu: float
    rho: float

    def __post_init__(self) -> None:
        if not (self.alpha > 0 and 0 <= self.beta <= 1 and self.nu >= 0 and -1 < self.rho < 1):
            raise InputError(str(self), needed="alpha > 0, 0 <= beta <= 1, nu >= 0, -1 < rho < 1")

    def get_vol(self, forward: ArrayLike, strike: ArrayLike, years: ArrayLike) -> Floats:
        """Return Black's volatility: Hagan, Kumar, Lesniewski, Woodward, Managing Smile Risk (2002),
        eq. 2.17. An expansion in nu^2 years: far out and far off it can imply negative densities."""
        forward, strike, years = to_rows(forward=forward, strike=strike, years=years)
        require_positive(forward=forward, strike=strike, years=years)
        log, left = np.log(forward / strike), 1 - self.beta
        backbone = (forward * strike) ** (0.5 * left)
        z = self.nu / self.alpha * backbone * log
        squared = (left * log) ** 2
        drift = (
            (left * self.alpha / backbone) ** 2 / 24
            + 0.25 * self.rho * self.beta * self.nu * self.alpha / backbone
            + (2 - 3 * self.rho**2) / 24 * self.nu**2
        )
        level = self.alpha / (backbone * (1 + squared / 24 * (1 + squared / 80)))
        vol: Floats = level * _tilt(z, self.rho) * (1 + drift * years)
        return vol

    @staticmethod
    def fit(forward: float, strikes: ArrayLike, years: float, vols: ArrayLike, beta: float = 1.0) -> Sabr:
        """Return the parameters with the least squared error in volatility, ``beta`` given.

        Raises:
            InputError: fewer than three strikes, or values that are not above 0.
        """
        strikes, vols = to_rows(strikes=strikes, vols=vols)
        require_positive(strikes=strikes, vols=vols)
        if strikes.size < 3:
            raise InputError(f"{strikes.size} strikes", needed="at least 3, for alpha, nu and rho")

        def make(unknown: Floats) -> Sabr:
            ln_alpha, ln_nu, tilt = map(float, np.clip(unknown, -30, 30))
            return Sabr(np.exp(ln_alpha), beta, np.exp(ln_nu), np.clip(np.tanh(tilt), -_MAX_RHO, _MAX_RHO))

        def miss(unknown: Floats) -> Floats:
            return make(unknown).get_vol(forward, strikes, years) - vols

        level = float(np.interp(forward, strikes, vols)) * forward ** (1 - beta)
        start = np.array([np.log(level), np.log(0.5), 0.0])
        return make(least_squares(miss, start, method="lm", xtol=1e-14, ftol=1e-14).x)


def _tilt(z: Floats, rho: float) -> Floats:
    """Return z / x(z), 1 at the money."""
    small = np.abs(z) < 1e-6
    safe = np.where(small, 1.0, z)
    x = np.log((np.sqrt(1 - 2 * rho * safe + safe * safe) + safe - rho) / (1 - rho))
    tilt: Floats = np.where(small, 1 - 0.5 * rho * z, safe / x)
    return tilt
