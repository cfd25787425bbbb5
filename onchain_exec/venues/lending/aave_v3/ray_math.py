"""Aave's rounded fixed point: mirrors of ``WadRayMath``, ``PercentageMath`` and ``MathUtils``.

Products and quotients round half up; nobody is favoured. What overflows reverts without a reason.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core.fixed_point import BPS, MAX_UINT256, RAY, WAD
from onchain_exec.errors import PoolRevertError

YEAR_S: Final = 365 * 86_400


def ray_mul(a: int, b: int) -> int:
    """Return a * b / 1e27, rounded half up. Mirror of ``WadRayMath.rayMul``."""
    return _require_word(a * b + RAY // 2) // RAY


def ray_div(a: int, b: int) -> int:
    """Return a * 1e27 / b, rounded half up. Mirror of ``WadRayMath.rayDiv``."""
    return _divide(a, RAY, b)


def wad_div(a: int, b: int) -> int:
    """Return a * 1e18 / b, rounded half up. Mirror of ``WadRayMath.wadDiv``."""
    return _divide(a, WAD, b)


def percent_mul(value: int, bps: int) -> int:
    """Return value * bps / 10,000, rounded half up. Mirror of ``PercentageMath.percentMul``."""
    return _require_word(value * bps + BPS // 2) // BPS


def percent_div(value: int, bps: int) -> int:
    """Return value * 10,000 / bps, rounded half up. Mirror of ``PercentageMath.percentDiv``."""
    return _divide(value, BPS, bps)


def get_linear_interest(rate_ray: int, seconds: int) -> int:
    """Return 1 + rate * time in ray, rounded down. Mirror of ``MathUtils.calculateLinearInterest``."""
    return RAY + _require_word(rate_ray * seconds) // YEAR_S


def get_compound_interest(rate_ray: int, seconds: int) -> int:
    """Return (1 + rate / year) ** time in ray, by the first three terms of its binomial series.

    Mirror of ``MathUtils.calculateCompoundedInterest``; it is always a little below the power itself.
    """
    if not seconds:
        return RAY
    before, earlier = seconds - 1, max(0, seconds - 2)
    squared = ray_mul(rate_ray, rate_ray) // YEAR_S**2
    cubed = ray_mul(squared, rate_ray) // YEAR_S
    second_term = seconds * before * squared // 2
    third_term = seconds * before * earlier * cubed // 6
    return RAY + rate_ray * seconds // YEAR_S + second_term + third_term


def _divide(a: int, unit: int, b: int) -> int:
    if not b:
        raise PoolRevertError("", found=f"{a} divided by zero")
    return _require_word(a * unit + b // 2) // b


def _require_word(value: int) -> int:
    if value > MAX_UINT256:
        raise PoolRevertError("", found="a product beyond uint256")
    return value
