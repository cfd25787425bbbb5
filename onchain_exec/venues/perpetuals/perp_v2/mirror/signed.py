"""Signed fixed-point arithmetic. Mirror of Curie's ``PerpMath``, ``SwapMath`` and ``SettlementTokenMath``.

Ratios are in pips, 1e-6. Signed products are rounded towards zero.
"""

from __future__ import annotations

from onchain_exec.core.fixed_point import (
    MAX_INT256,
    PIPS,
    Q96,
    WAD,
    mul_div_down,
    mul_div_up,
)
from onchain_exec.errors import PoolRevertError


def mul_div(a: int, b: int, denominator: int) -> int:
    """Return a * b / denominator, rounded towards zero. Mirror of the signed ``PerpMath.mulDiv``."""
    size = mul_div_down(abs(a), abs(b), denominator)
    if size > MAX_INT256:
        raise PoolRevertError("", found=f"{size} beyond int256")
    return size if (a < 0) == (b < 0) else -size


def mul_ratio(value: int, ratio_pips: int) -> int:
    """Return the share of a value, rounded towards zero. Mirror of ``PerpMath.mulRatio``."""
    return mul_div(value, ratio_pips, PIPS)


def price_x96(sqrt_price_x96: int) -> int:
    """Return a price from its root, both in x96. Mirror of ``formatSqrtPriceX96ToPriceX96``."""
    return mul_div_down(sqrt_price_x96, sqrt_price_x96, Q96)


def wad_of_x96(value_x96: int) -> int:
    """Return an x96 value in 1e18, rounded down. Mirror of ``formatX96ToX10_18``."""
    return mul_div_down(value_x96, WAD, Q96)


def x96_of_wad(value_wad: int) -> int:
    """Return a 1e18 value in x96, rounded down. Mirror of ``formatX10_18ToX96``."""
    return mul_div_down(value_wad, Q96, WAD)


def scale_up_by_fee(amount: int, fee_pips: int) -> int:
    """Return what less the fee is ``amount``, rounded up. ``SwapMath.calcAmountScaledByFeeRatio``."""
    return mul_div_up(amount, PIPS, PIPS - fee_pips)


def scale_down_by_fee(amount: int, fee_pips: int) -> int:
    """Return ``amount`` less the fee, rounded down. ``SwapMath.calcAmountScaledByFeeRatio``."""
    return mul_div_down(amount, PIPS - fee_pips, PIPS)


def replace_fee(amount: int, new_fee_pips: int, old_fee_pips: int) -> int:
    """Return ``amount`` with one fee in place of another, rounded up.

    Mirror of ``SwapMath.calcAmountWithFeeRatioReplaced``.
    """
    return mul_div_up(amount, PIPS - new_fee_pips, PIPS - old_fee_pips)


def median_of_three(one: int, two: int, three: int) -> int:
    """Return the middle one. Mirror of ``PerpMath.findMedianOfThree``."""
    return sorted((one, two, three))[1]


def to_base_units_floor(amount_wad: int, decimals: int) -> int:
    """Return 1e18 in base units, rounded down for both signs. ``formatSettlementToken(int256)``."""
    return amount_wad // int(10 ** (18 - decimals))


def convert_decimals(amount: int, decimals_from: int, decimals_to: int) -> int:
    """Return a non-negative amount in other decimals, rounded down. ``convertTokenDecimals``."""
    if decimals_from > decimals_to:
        return amount // int(10 ** (decimals_from - decimals_to))
    return amount * int(10 ** (decimals_to - decimals_from))
