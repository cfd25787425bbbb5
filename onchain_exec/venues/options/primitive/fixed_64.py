"""Signed numbers of 64 bits before and after the point: mirror of ``ABDKMath64x64``, of its functions that
RMM-01 uses. ``_x64`` is in units of 2**-64. Where the library's ``require`` fails, PoolRevertError is raised;
it gives no reason there.
"""

from __future__ import annotations

from itertools import accumulate
from math import isqrt
from typing import Final

from onchain_exec.core.fixed_point import div_trunc
from onchain_exec.errors import PoolRevertError

ONE_X64: Final = 1 << 64
_MAX: Final = (1 << 127) - 1
_EXP_BOUND: Final = 64 << 64
_LOG2_E_X128: Final = 0x171547652B82FE1777D0FFDA0D23A7D12
_LN_2_X128: Final = 0xB17217F7D1CF79ABC9E3B39803F2F6AF
_ROOTS_X128: Final = tuple(accumulate(range(64), lambda root, _: isqrt(root << 128), initial=2 << 128))[1:]
"""2**(1/2), 2**(1/4) and so on: each root of the one before, rounded down, as the library's constants."""


def require_fits(x_x64: int) -> int:
    """Return a result that fits into int128.

    Raises:
        PoolRevertError: it does not.
    """
    if not -_MAX - 1 <= x_x64 <= _MAX:
        raise PoolRevertError("", found=f"{x_x64} / 2**64 as a 64.64 number", needed="127 bits and a sign")
    return x_x64


def mul(x_x64: int, y_x64: int) -> int:
    """Return x y, rounded down; ``mul``."""
    return require_fits(x_x64 * y_x64 >> 64)


def div(x_x64: int, y_x64: int) -> int:
    """Return x / y, towards zero; ``div``."""
    if y_x64 == 0:
        raise PoolRevertError("", found="a division by zero")
    return require_fits(div_trunc(x_x64 << 64, y_x64))


def divide_integers(x: int, y: int) -> int:
    """Return x / y of non-negative x and positive y in 2**-64, rounded down; ``divu``."""
    return require_fits((x << 64) // y)


def multiply_integer(x_x64: int, y: int) -> int:
    """Return x y of non-negative numbers as an integer, rounded down; ``mulu``."""
    if x_x64 < 0 < y:
        raise PoolRevertError("", found=f"{x_x64} / 2**64", needed="at least 0")
    return x_x64 * y >> 64


def sqrt(x_x64: int) -> int:
    """Return the root, rounded down; ``sqrt``."""
    if x_x64 < 0:
        raise PoolRevertError("", found=f"the root of {x_x64} / 2**64", needed="at least 0")
    return isqrt(x_x64 << 64)


def ln(x_x64: int) -> int:
    """Return the natural logarithm of a number of at least 1; ``ln``, bit by bit.

    Raises:
        PoolRevertError: x is not above 0.
    """
    if x_x64 <= 0:
        raise PoolRevertError("", found=f"ln of {x_x64} / 2**64", needed="above 0")
    msb = x_x64.bit_length() - 1
    result, ux, bit = (msb - 64) << 64, x_x64 << (127 - msb), 1 << 63
    while bit:
        ux *= ux
        carry = ux >> 255
        ux >>= 127 + carry
        result += bit * carry
        bit >>= 1
    return result * _LN_2_X128 >> 128


def exp(x_x64: int) -> int:
    """Return e**x; ``exp``, by binary digits of the exponent.

    Raises:
        PoolRevertError: x is 64 or more, or the result does not fit.
    """
    if x_x64 >= _EXP_BOUND:
        raise PoolRevertError("", found=f"e to the {x_x64} / 2**64", needed="below 64")
    if x_x64 < -_EXP_BOUND:
        return 0
    exponent = x_x64 * _LOG2_E_X128 >> 128
    if exponent < -_EXP_BOUND:
        return 0
    result = 1 << 127
    for place, root in enumerate(_ROOTS_X128):
        if exponent & (1 << (63 - place)):
            result = result * root >> 128
    return require_fits(result >> (63 - (exponent >> 64)))
