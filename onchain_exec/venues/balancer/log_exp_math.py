"""Balancer's logarithm, exponential and power of 18-decimal fixed-point numbers.

Mirror of ``LogExpMath``. Solidity truncates towards zero, so each signed step of the contract is odd in
its argument: the sign is taken off first and all divisions below are of non-negative integers.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.balancer.revert import (
    PRODUCT_OUT_OF_BOUNDS,
    X_OUT_OF_BOUNDS,
    Y_OUT_OF_BOUNDS,
    refuse,
)

_E20: Final = 10**20
_E36: Final = 10**36
_MAX_EXPONENT: Final = 130 * WAD
_MIN_EXPONENT: Final = 41 * WAD  # of a negative exponent, by magnitude
_MAX_POWER: Final = 2**254 // _E20
_LN_36_LOWER: Final = 9 * WAD // 10
_LN_36_UPPER: Final = 11 * WAD // 10

# (2**n, e**(2**n)): whole numbers for n = 7, 6 (exponent with 18 decimals), then 20 decimals, n = 5 to -4
_WHOLE: Final = (
    (128 * WAD, 38877084059945950922200000000000000000000000000000000000),
    (64 * WAD, 6235149080811616882910000000),
)
_PARTS: Final = (
    (3200000000000000000000, 7896296018268069516100000000000000),
    (1600000000000000000000, 888611052050787263676000000),
    (800000000000000000000, 298095798704172827474000),
    (400000000000000000000, 5459815003314423907810),
    (200000000000000000000, 738905609893065022723),
    (100000000000000000000, 271828182845904523536),
    (50000000000000000000, 164872127070012814685),
    (25000000000000000000, 128402541668774148407),
    (12500000000000000000, 113314845306682631683),
    (6250000000000000000, 106449445891785942956),
)
_EXP_PARTS: Final = _PARTS[:8]  # the series takes over below 0.25


def exp_wad(x: int) -> int:
    """Return e**x for 0 <= x <= 130e18; mirror of ``LogExpMath.exp``."""
    whole = 1
    for bound, power in _WHOLE:
        if x >= bound:
            x -= bound
            whole = power
            break
    x *= 100
    product = _E20
    if x >= 25000000000000000000:
        for bound, power in _EXP_PARTS:
            if x >= bound:
                x -= bound
                product = product * power // _E20
    # the series x**n / n!, unrolled: a loop would double its time
    term = x
    series = _E20 + x
    term = term * x // _E20 // 2
    series += term
    term = term * x // _E20 // 3
    series += term
    term = term * x // _E20 // 4
    series += term
    term = term * x // _E20 // 5
    series += term
    term = term * x // _E20 // 6
    series += term
    term = term * x // _E20 // 7
    series += term
    term = term * x // _E20 // 8
    series += term
    term = term * x // _E20 // 9
    series += term
    term = term * x // _E20 // 10
    series += term
    term = term * x // _E20 // 11
    series += term
    series += term * x // _E20 // 12
    return product * series // _E20 * whole // 100


def _ln(a: int) -> int:
    """Return ln(a) for a >= 1e18; mirror of ``LogExpMath._ln``."""
    total = 0
    for bound, power in _WHOLE:
        if a >= power * WAD:
            a //= power
            total += bound
    total *= 100
    a *= 100
    for bound, power in _PARTS:
        if a >= power:
            a = a * _E20 // power
            total += bound
    z = (a - _E20) * _E20 // (a + _E20)
    squared = z * z // _E20
    series = term = z
    term = term * squared // _E20
    series += term // 3
    term = term * squared // _E20
    series += term // 5
    term = term * squared // _E20
    series += term // 7
    term = term * squared // _E20
    series += term // 9
    series += term * squared // _E20 // 11
    return (total + 2 * series) // 100


def _ln_36(distance: int, x: int) -> int:
    """Return abs(ln(x)) with 36 decimals for x within 10 % of one, at ``distance`` from it.

    Mirror of ``LogExpMath._ln_36``.
    """
    z = distance * WAD * _E36 // (x * WAD + _E36)
    squared = z * z // _E36
    series = term = z
    term = term * squared // _E36
    series += term // 3
    term = term * squared // _E36
    series += term // 5
    term = term * squared // _E36
    series += term // 7
    term = term * squared // _E36
    series += term // 9
    term = term * squared // _E36
    series += term // 11
    term = term * squared // _E36
    series += term // 13
    series += term * squared // _E36 // 15
    return 2 * series


def pow_wad(x: int, y: int) -> int:
    """Return x**y of non-negative 18-decimal numbers, within 1e-14 of the true value either way.

    Mirror of ``LogExpMath.pow``.

    Raises:
        PoolRevertError: BAL#006 or BAL#007, a number is too large; BAL#008, the power leaves e**-41 to
            e**130.
    """
    if y == 0:
        return WAD
    if x == 0:
        return 0
    if x >> 255:
        refuse(X_OUT_OF_BOUNDS)
    if y >= _MAX_POWER:
        refuse(Y_OUT_OF_BOUNDS)
    falls = x < WAD
    if _LN_36_LOWER < x < _LN_36_UPPER:
        log_36 = _ln_36(WAD - x if falls else x - WAD, x)
        log_times_y = (log_36 // WAD * y + log_36 % WAD * y // WAD) // WAD
    else:
        log_times_y = _ln(_E36 // x if falls else x) * y // WAD
    if log_times_y > (_MIN_EXPONENT if falls else _MAX_EXPONENT):
        refuse(PRODUCT_OUT_OF_BOUNDS)
    return _E36 // exp_wad(log_times_y) if falls else exp_wad(log_times_y)
