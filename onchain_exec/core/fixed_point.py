"""Integer arithmetic as the EVM does it: names say which way they round."""

from __future__ import annotations

from typing import Final

from onchain_exec.errors import PoolRevertError

WAD: Final = 10**18
RAY: Final = 10**27
BPS: Final = 10_000
PIPS: Final = 1_000_000
Q96: Final = 1 << 96
Q128: Final = 1 << 128
Q192: Final = 1 << 192
MAX_UINT128: Final = (1 << 128) - 1
MAX_UINT160: Final = (1 << 160) - 1
MAX_UINT256: Final = (1 << 256) - 1
MAX_INT256: Final = (1 << 255) - 1


def mul_div_down(a: int, b: int, denominator: int) -> int:
    """Return floor(a * b / denominator) for non-negative a, b and a positive denominator.

    Mirror of Uniswap v3 ``FullMath.mulDiv``; raises PoolRevertError where it reverts.
    """
    result = a * b // _positive(denominator)
    if result > MAX_UINT256:
        raise PoolRevertError("overflow", found="mulDiv beyond uint256")
    return result


def mul_div_up(a: int, b: int, denominator: int) -> int:
    """Return ceil(a * b / denominator). Mirror of ``FullMath.mulDivRoundingUp``."""
    result = -(-a * b // _positive(denominator))
    if result > MAX_UINT256:
        raise PoolRevertError("overflow", found="mulDivRoundingUp beyond uint256")
    return result


def div_up(a: int, b: int) -> int:
    """Return ceil(a / b) for non-negative a. Mirror of ``UnsafeMath.divRoundingUp``; b > 0."""
    return -(-a // b)


def div_trunc(a: int, b: int) -> int:
    """Return a / b truncated towards zero, as EVM SDIV does. Python's // floors: never use it on
    a signed value that mirrors Solidity."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def _positive(denominator: int) -> int:
    if denominator <= 0:
        raise PoolRevertError("division by zero", found=f"denominator {denominator}")
    return denominator
