"""One expiry's smile: raw SVI, its jump-wings form, and what makes it free of butterfly arbitrage.

w(k) = a + b (rho (k - m) + sqrt((k - m)^2 + sigma^2)) is total variance, vol^2 years, at
k = ln(strike / forward). Source: Gatheral, Jacquier, Arbitrage-free SVI volatility surfaces, Quantitative
Finance 14 (2014); equation numbers below are of that paper.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import ArrayLike

from onchain_exec.errors import NoArbitrageError
from onchain_exec.pricing.rows import Floats

_GRID: Final = np.sinh(np.linspace(-4, 4, 1_601))
"""Distances from m in units of sigma or of 1: dense at the money, 27 out."""


@dataclass(frozen=True, slots=True)
class Svi:
    """Raw parameters (eq. 3.1): level ``a``, slope ``b``, tilt ``rho``, shift ``m``, curvature ``sigma``.

    Raises:
        NoArbitrageError: b below 0, rho outside (-1, 1), sigma not above 0, or variance below 0 somewhere.
    """

    a: float
    b: float
    rho: float
    m: float
    sigma: float

    def __post_init__(self) -> None:
        lowest = self.a + self.b * self.sigma * math.sqrt(max(0.0, 1 - self.rho * self.rho))
        if not (self.b >= 0 and abs(self.rho) < 1 and self.sigma > 0 and lowest >= 0):
            raise NoArbitrageError(
                f"{self}: lowest variance {lowest:g}",
                needed="b >= 0, -1 < rho < 1, sigma > 0, a + b sigma sqrt(1 - rho^2) >= 0",
            )

    def get_variance(self, k: ArrayLike) -> Floats:
        """Return total variance at log moneyness."""
        distance = np.asarray(k, np.float64) - self.m
        variance: Floats = self.a + self.b * (self.rho * distance + np.hypot(distance, self.sigma))
        return variance

    def get_vol(self, k: ArrayLike, years: float) -> Floats:
        """Return Black's volatility at log moneyness."""
        vol: Floats = np.sqrt(self.get_variance(k) / years)
        return vol

    def get_density_factor(self, k: ArrayLike) -> Floats:
        """Return g(k) of eq. 2.1: where it is below 0, a butterfly costs less than nothing."""
        k = np.asarray(k, np.float64)
        distance = k - self.m
        root = np.hypot(distance, self.sigma)
        w = self.get_variance(k)
        slope = self.b * (self.rho + distance / root)
        bend = self.b * self.sigma**2 / root**3
        factor: Floats = (1 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1 / w + 0.25) + 0.5 * bend
        return factor

    def find_butterfly(self) -> tuple[float, float]:
        """Return the lowest density factor and its log moneyness, by a grid and parabolas around it."""
        scale = max(self.sigma, 0.05)
        k = self.m + scale * _GRID
        at = int(np.argmin(self.get_density_factor(k)))
        low, high = k[max(at - 1, 0)], k[min(at + 1, len(k) - 1)]
        for _ in range(6):
            fine = np.linspace(low, high, 41)
            factor = self.get_density_factor(fine)
            at = int(np.argmin(factor))
            low, high = fine[max(at - 1, 0)], fine[min(at + 1, 40)]
        return float(factor[at]), float(fine[at])

    def is_butterfly_free(self) -> bool:
        """Say whether the density is nowhere negative, in the wings too: b (1 + abs(rho)) is at most 2,
        where total variance would grow too fast (R. Lee 2004)."""
        return self.b * (1 + abs(self.rho)) <= 2 and self.find_butterfly()[0] >= 0

    def to_jump_wings(self, years: float) -> JumpWings:
        """Return the same smile in traders' terms (eq. 3.5)."""
        root = math.hypot(self.m, self.sigma)
        variance = self.a + self.b * (root - self.rho * self.m)
        slope = self.b / math.sqrt(variance)
        return JumpWings(
            variance / years,
            0.5 * slope * (self.rho - self.m / root),
            slope * (1 - self.rho),
            slope * (1 + self.rho),
            (self.a + self.b * self.sigma * math.sqrt(1 - self.rho**2)) / years,
        )

    @classmethod
    def from_natural(cls, delta: float, mu: float, rho: float, omega: float, zeta: float) -> Self:
        """Return the raw form of natural parameters (eq. 3.2, lemma 3.1)."""
        b, root = 0.5 * omega * zeta, math.sqrt(1 - rho * rho)
        return cls(delta + 0.5 * omega * (1 - rho * rho), b, rho, mu - rho / zeta, root / zeta)


@dataclass(frozen=True, slots=True)
class JumpWings:
    """At-the-money variance ``v`` and its skew ``psi``, slopes of the left wing ``p`` and of the right
    ``c``, least variance ``v_tilde``; variances per year (eq. 3.5)."""

    v: float
    psi: float
    p: float
    c: float
    v_tilde: float

    def to_svi(self, years: float) -> Svi:
        """Return the raw form (lemma 3.2, in angles: rho = sin r, beta = sin t).

        Raises:
            NoArbitrageError: no raw SVI has these wings, or, with the skew of a straight pair of wings,
                every curvature has them.
        """
        w = self.v * years
        b = 0.5 * math.sqrt(w) * (self.c + self.p)
        rho = 1 - self.p * math.sqrt(w) / b
        beta = rho - 2 * self.psi * math.sqrt(w) / b
        if not (-1 < beta < 1 and beta != rho):
            raise NoArbitrageError(f"{self}: beta = {beta:g}", needed="a skew between -p/2 and c/2, not 0")
        turn = math.asin(beta)
        size = (self.v - self.v_tilde) * years / (2 * b * math.sin(0.5 * (turn - math.asin(rho))) ** 2)
        sigma = size * math.cos(turn)
        return Svi(self.v_tilde * years - b * sigma * math.sqrt(1 - rho * rho), b, rho, size * beta, sigma)

    def repair(self) -> JumpWings:
        """Return the smile with the same v, psi and p, and wings that exclude butterflies for certain
        (section 5.1): c = p + 2 psi, v_tilde = 4 v p c / (p + c)^2."""
        c = self.p + 2 * self.psi
        return JumpWings(self.v, self.psi, self.p, c, 4 * self.v * self.p * c / (self.p + c) ** 2)
