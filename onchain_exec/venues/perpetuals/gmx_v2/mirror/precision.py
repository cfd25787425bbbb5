"""Factors of 1e30 and powers of them. Mirror of GMX's ``Precision`` and of ``PRBMathUD60x18`` 2.4.3."""

from __future__ import annotations

from math import isqrt
from typing import Final

from onchain_exec.core.fixed_point import MAX_UINT256, WAD, mul_div_down
from onchain_exec.errors import PoolRevertError

FLOAT: Final = 10**30
"""One, and one dollar."""
_FLOAT_PER_WAD: Final = 10**12
_MOST_BITS: Final = 192


def apply_factor(value: int, factor: int) -> int:
    """Return the share of a value, rounded down. Mirror of ``Precision.applyFactor``."""
    return mul_div_down(value, factor, FLOAT)


def to_factor(value: int, divisor: int) -> int:
    """Return value over divisor as a factor, rounded down. Mirror of ``Precision.toFactor``."""
    return mul_div_down(value, FLOAT, divisor) if value else 0


def apply_exponent_factor(value: int, exponent: int) -> int:
    """Return a value to the power of a factor; 0 below one dollar. ``Precision.applyExponentFactor``.

    Exact as the contract computes, which is to about 18 digits of the logarithm.

    Raises:
        PoolRevertError: the power is 2**192 or more.
    """
    if value < FLOAT:
        return 0
    if exponent == FLOAT:
        return value
    return get_power_wad(value // _FLOAT_PER_WAD, exponent // _FLOAT_PER_WAD) * _FLOAT_PER_WAD


def get_power_wad(base_wad: int, exponent_wad: int) -> int:
    """Return a power of a base of 1 or more. Mirror of ``PRBMathUD60x18.pow``."""
    return get_exp2_wad(_multiply(get_log2_wad(base_wad), exponent_wad))


def get_log2_wad(value_wad: int) -> int:
    """Return the binary logarithm of a value of 1 or more, rounded down. ``PRBMathUD60x18.log2``."""
    whole = (value_wad // WAD).bit_length() - 1
    rest, result = value_wad >> whole, whole * WAD
    if rest == WAD:
        return result
    delta = WAD // 2
    while delta:
        rest = rest * rest // WAD
        if rest >= 2 * WAD:
            result += delta
            rest >>= 1
        delta >>= 1
    return result


def get_exp2_wad(value_wad: int) -> int:
    """Return two to the power of a value. Mirror of ``PRBMathUD60x18.exp2``.

    Raises:
        PoolRevertError: the value is 192 or more.
    """
    if value_wad >= _MOST_BITS * WAD:
        raise PoolRevertError(
            "PRBMathUD60x18__Exp2InputTooBig", found=f"2 to the power of {value_wad / WAD:.3f}"
        )
    value_x64 = (value_wad << 64) // WAD
    result = 1 << 191
    for bit, root_x64 in enumerate(_ROOTS_X64, start=1):
        if value_x64 >> (64 - bit) & 1:
            result = result * root_x64 >> 64
    return (result * WAD & MAX_UINT256) >> (191 - (value_x64 >> 64))


def _multiply(one_wad: int, other_wad: int) -> int:
    """Mirror of ``PRBMath.mulDivFixedPoint``: rounded to the nearest."""
    return (one_wad * other_wad + WAD // 2) // WAD


def _build_roots() -> tuple[int, ...]:
    """Return 2 ** (2 ** -bit) in x64 for bits 1 to 64, rounded to the nearest, as the library lists them."""
    roots, root_x256 = [], 2 << 256
    for _ in range(64):
        root_x256 = isqrt(root_x256 << 256)
        roots.append((root_x256 + (1 << 191)) >> 192)
    return tuple(roots)


_ROOTS_X64: Final = _build_roots()
