"""A volatility surface that holds no static arbitrage by the way it is built: extended SSVI.

Each expiry is w(k) = (theta + rho psi k + sqrt((psi k + theta rho)^2 + theta^2 (1 - rho^2))) / 2, with
theta the at-the-money variance. Written in twice the slopes of its wings, right = psi (1 + rho) and
left = psi (1 - rho), it is free

- of butterflies if max(left, right) < 4 and psi max(left, right) <= 4 theta (Gatheral, Jacquier 2014,
  theorem 4.2);
- of calendars after an earlier expiry if theta, left and right are no smaller and psi / theta no larger
  (Hendriks, Martini, The extended SSVI volatility surface, 2019, proposition 3.5).

All of these bound the slopes from the earlier expiry's outwards, so that a fit walks within them; and all
hold between two expiries when theta, left and right go on straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from onchain_exec.errors import InputError, NoArbitrageError
from onchain_exec.pricing.rows import Floats, require_positive
from onchain_exec.pricing.smiles.svi import Svi

_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Slice:
    """One expiry: at-the-money total variance and twice the slopes of the wings, all above 0.

    Raises:
        NoArbitrageError: a value is not above 0, or there is a butterfly.
    """

    theta: float
    left: float
    right: float

    def __post_init__(self) -> None:
        steeper = max(self.left, self.right)
        if not (min(self.theta, self.left, self.right) > 0 and steeper < 4):
            raise NoArbitrageError(str(self), needed="theta, left, right above 0, both wings below 4")
        if self.psi * steeper > 4 * self.theta * (1 + _ROUNDING):
            raise NoArbitrageError(
                f"{self}: psi times the steeper wing is {self.psi * steeper:g}",
                needed=f"at most 4 theta = {4 * self.theta:g}",
            )

    @property
    def psi(self) -> float:
        """The sum of both slopes, theta times Gatheral and Jacquier's phi."""
        return 0.5 * (self.left + self.right)

    @property
    def rho(self) -> float:
        """The tilt, in (-1, 1)."""
        return (self.right - self.left) / (self.right + self.left)

    def get_variance(self, k: ArrayLike) -> Floats:
        """Return total variance at log moneyness ln(strike / forward)."""
        return get_variance(np.asarray(k, np.float64), self.theta, self.left, self.right)

    def to_svi(self) -> Svi:
        """Return the same smile in raw SVI's parameters."""
        room = 1 - self.rho**2
        a, m = 0.5 * self.theta * room, -self.rho * self.theta / self.psi
        return Svi(a, 0.5 * self.psi, self.rho, m, self.theta * room**0.5 / self.psi)

    def is_above(self, earlier: Slice) -> bool:
        """Say whether no calendar spread between the two expiries is free."""
        slack = 1 - _ROUNDING
        return (
            self.theta >= slack * earlier.theta
            and self.left >= slack * earlier.left
            and self.right >= slack * earlier.right
            and slack * self.psi * earlier.theta <= earlier.psi * self.theta
        )


def get_variance(k: Floats, theta: ArrayLike, left: ArrayLike, right: ArrayLike) -> Floats:
    """Return the total variance of slices, arguments broadcast."""
    theta, left, right = (np.asarray(value, np.float64) for value in (theta, left, right))
    psi = 0.5 * (left + right)
    tilted = 0.5 * (right - left) * k
    # (psi k + theta rho)^2 + theta^2 (1 - rho^2), multiplied out
    variance: Floats = 0.5 * (theta + tilted + np.sqrt((psi * k) ** 2 + 2 * theta * tilted + theta * theta))
    return variance


@dataclass(frozen=True, slots=True)
class Surface:
    """Slices by expiry, in years. Without static arbitrage at, between, before and after them.

    Raises:
        NoArbitrageError: a slice is not above the one before it.
        InputError: no slice, or expiries that do not rise from above 0.
    """

    years: tuple[float, ...]
    slices: tuple[Slice, ...]

    def __post_init__(self) -> None:
        rising = all(later > earlier for earlier, later in pairwise((0.0, *self.years)))
        if not (self.slices and len(self.years) == len(self.slices) and rising):
            raise InputError(f"expiries {self.years}", needed="one per slice, rising from above 0")
        for number, (earlier, later) in enumerate(pairwise(self.slices), 1):
            if not later.is_above(earlier):
                raise NoArbitrageError(
                    f"expiry {self.years[number]:g}: {later} after {earlier}",
                    needed="theta, left and right no smaller, psi / theta no larger",
                )

    def get_slice(self, years: float) -> Slice:
        """Return the smile of any expiry: on straight lines between two slices and down to 0; after the
        last one theta goes on at the last pace and the wings stay.

        Raises:
            InputError: ``years`` is not above 0.
        """
        require_positive(years=np.asarray(years))
        knots = np.array([(0.0, 0.0, 0.0), *((s.theta, s.left, s.right) for s in self.slices)])
        times = np.array([0.0, *self.years])
        theta, left, right = (float(np.interp(years, times, column)) for column in knots.T)
        if years > times[-1]:
            pace = (knots[-1, 0] - knots[-2, 0]) / (times[-1] - times[-2])
            theta += float(pace * (years - times[-1]))
        return Slice(theta, left, right)

    def get_vol(self, k: ArrayLike, years: float) -> Floats:
        """Return Black's volatility at log moneyness for an expiry."""
        vol: Floats = np.sqrt(self.get_slice(years).get_variance(k) / years)
        return vol
