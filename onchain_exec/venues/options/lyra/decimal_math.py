"""Fixed-point numbers of 18 and 27 decimals as Synthetix rounds them: ``DecimalMath``, ``SignedDecimalMath``.

The rounded forms keep one digit more and look at it alone, so half a unit is rounded away from zero and
what lies below that digit is dropped. The signed forms are odd in their arguments.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core.fixed_point import RAY, WAD, div_trunc

_TO_RAY: Final = 10**9


def mul_wad(x: int, y: int) -> int:
    """Return x y, both with 18 decimals, towards zero: ``multiplyDecimal``, signed or not."""
    return div_trunc(x * y, WAD)


def div_wad(x: int, y: int) -> int:
    """Return x / y of non-negative x and positive y, rounded down: ``divideDecimal``."""
    return x * WAD // y


def div_wad_round(x: int, y: int) -> int:
    """Return x / y of non-negative x and positive y: ``divideDecimalRound``."""
    return _round_digit(x * WAD * 10 // y)


def mul_wad_round(x: int, y: int) -> int:
    """Return x y of non-negative numbers: ``multiplyDecimalRound``."""
    return _round_digit(x * y * 10 // WAD)


def mul_ray(x: int, y: int) -> int:
    """Return x y with 27 decimals: ``multiplyDecimalRoundPrecise``, signed or not."""
    rounded = _round_digit(abs(x * y) * 10 // RAY)
    return rounded if (x < 0) == (y < 0) else -rounded


def div_ray(x: int, y: int) -> int:
    """Return x / y of any x and positive y, with 27 decimals: ``divideDecimalRoundPrecise``."""
    rounded = _round_digit(abs(x) * RAY * 10 // y)
    return rounded if x >= 0 else -rounded


def to_ray(x_wad: int) -> int:
    """Return the same number with 27 decimals: ``decimalToPreciseDecimal``."""
    return x_wad * _TO_RAY


def to_wad(x_ray: int) -> int:
    """Return the number with 18 decimals, signed or not: ``preciseDecimalToDecimal``."""
    rounded = _round_digit(abs(x_ray) * 10 // _TO_RAY)
    return rounded if x_ray >= 0 else -rounded


def _round_digit(tenfold: int) -> int:
    return (tenfold + 10 if tenfold % 10 >= 5 else tenfold) // 10
