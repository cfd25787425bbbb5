"""RMM-01's trading curve per unit of liquidity: mirror of ``ReplicationMath``.

stable = K N(N^-1(1 - risky) - sigma sqrt(tau)): the holdings that replicate a covered call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.options.primitive.fixed_64 import (
    ONE_X64,
    divide_integers,
    mul,
    multiply_integer,
    require_fits,
    sqrt,
)
from onchain_exec.venues.options.primitive.normal import get_cdf, get_inverse_cdf

SECONDS_PER_YEAR: Final = 31_556_952
SIGMA_SCALE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Curve:
    """A pool's terms at a time: ``strike`` in base units of the stable token, ``sigma`` in 1e-4, ``tau_s`` to
    maturity; ``risky_unit`` and ``stable_unit`` are one whole token."""

    strike: int
    sigma: int
    tau_s: int
    risky_unit: int
    stable_unit: int

    @property
    def deviation_x64(self) -> int:
        """sigma sqrt(tau); mirror of ``getProportionalVolatility``."""
        root = sqrt(divide_integers(self.tau_s, SECONDS_PER_YEAR))
        return mul(divide_integers(self.sigma, SIGMA_SCALE), root)

    def get_stable(self, risky: int) -> int:
        """Return the stable tokens that belong to risky ones, per liquidity; ``getStableGivenRisky`` with an
        invariant of 0.

        Raises:
            PoolRevertError: InverseOutOfBounds, the pool would hold no risky token, or one or more.
        """
        stable_x64 = self._get_stable_x64(divide_integers(risky, self.risky_unit))
        return multiply_integer(stable_x64, self.stable_unit)

    def get_price(self, risky: int) -> float:
        """Return the slope of the curve, in whole stable per whole risky, by a difference of a millionth: of
        the curve as it is computed, whose approximations put it some tenths of a percent off."""
        x = divide_integers(risky, self.risky_unit)
        nudge = min(x, ONE_X64 - x) // 10**6
        return (self._get_stable_x64(x - nudge) - self._get_stable_x64(x + nudge)) / (2 * nudge)

    def _get_stable_x64(self, risky_x64: int) -> int:
        strike = divide_integers(self.strike, self.stable_unit)
        quantile = get_inverse_cdf(ONE_X64 - risky_x64)
        return mul(strike, get_cdf(require_fits(quantile - self.deviation_x64)))

    def get_invariant_x64(self, risky: int, stable: int) -> int:
        """Return how much more stable there is than belongs to the risky, per liquidity, in whole tokens;
        mirror of ``calcInvariant``."""
        belongs = divide_integers(self.get_stable(risky), self.stable_unit)
        return require_fits(divide_integers(stable, self.stable_unit) - belongs)


def per_liquidity(amount: int, liquidity: int) -> int:
    """Return a reserve per whole unit of liquidity, rounded down; as ``Reserve.getAmounts``."""
    return amount * WAD // liquidity
