"""Products and quotients of 1e18, as Perpetual Protocol v1 and Synthetix v3 have them: both call the library
``DecimalMath``."""

from __future__ import annotations

from onchain_exec.core.fixed_point import WAD, div_trunc
from onchain_exec.errors import PoolRevertError


def mul_d(one: int, other: int) -> int:
    """Return the product, rounded towards zero. ``muld``, ``mulDecimal``."""
    return div_trunc(one * other, WAD)


def div_d(one: int, other: int) -> int:
    """Return the quotient, rounded towards zero. ``divd``, ``divDecimal``."""
    if not other:
        raise PoolRevertError("SafeMath: division by zero")
    return div_trunc(one * WAD, other)


def sub_d(one: int, other: int) -> int:
    """Return the difference of two unsigned decimals.

    Raises:
        PoolRevertError: it is negative.
    """
    if one < other:
        raise PoolRevertError("SafeMath: subtraction overflow", found=f"{one} less {other}")
    return one - other
