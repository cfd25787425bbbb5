"""Interest rates from how much is borrowed: mirror of ``DefaultReserveInterestRateStrategy``."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.fixed_point import BPS, RAY
from onchain_exec.venues.lending.aave_v3.ray_math import percent_mul, ray_div, ray_mul
from onchain_exec.venues.lending.aave_v3.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Borrowed:
    """What rates follow from, in base units: debts at either rate, what is left, and what the bridge
    minted without backing. ``stable_rate_ray`` is the mean of the stable loans."""

    variable: int
    stable: int
    stable_rate_ray: int
    liquidity: int
    unbacked: int

    @property
    def total(self) -> int:
        """All debt."""
        return self.variable + self.stable


@dataclass(frozen=True, slots=True)
class RateStrategy:
    """Two slopes with a bend at the optimal usage; all in ray, per year."""

    optimal_usage_ray: int
    base_rate_ray: int
    slope1_ray: int
    slope2_ray: int

    def get_rates(self, borrowed: Borrowed, reserve_factor_bps: int) -> tuple[int, int]:
        """Return (liquidity rate, variable borrow rate). Mirror of ``calculateInterestRates``.

        Raises:
            PoolRevertError: more is taken than is there.
        """
        usage = supply_usage = 0
        if borrowed.total:
            if borrowed.liquidity < 0:
                raise Refusal.UNDERFLOW.raised(
                    f"the reserve is short by {-borrowed.liquidity} base units",
                    "liquidity that nobody has borrowed",
                    "Take less, or wait until others repay",
                )
            present = borrowed.liquidity + borrowed.total
            usage = ray_div(borrowed.total, present)
            supply_usage = ray_div(borrowed.total, present + borrowed.unbacked)
        variable_rate = self.base_rate_ray + self._get_slope(usage)
        earned = ray_mul(_get_mean_rate(borrowed, variable_rate), supply_usage)
        return percent_mul(earned, BPS - reserve_factor_bps), variable_rate

    def _get_slope(self, usage: int) -> int:
        if usage > self.optimal_usage_ray:
            excess = ray_div(usage - self.optimal_usage_ray, RAY - self.optimal_usage_ray)
            return self.slope1_ray + ray_mul(self.slope2_ray, excess)
        return ray_div(ray_mul(self.slope1_ray, usage), self.optimal_usage_ray)


def _get_mean_rate(borrowed: Borrowed, variable_rate: int) -> int:
    """Mirror of ``_getOverallBorrowRate``."""
    if not borrowed.total:
        return 0
    scale = 10**9  # wadToRay
    paid = ray_mul(borrowed.variable * scale, variable_rate)
    paid += ray_mul(borrowed.stable * scale, borrowed.stable_rate_ray)
    return ray_div(paid, borrowed.total * scale)
