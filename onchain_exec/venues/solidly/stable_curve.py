"""The stable curve x**3 * y + y**3 * x = k of Solidly and the pools after it, on 18-decimal amounts.

Checked arithmetic of the contracts (Solidity 0.8) is mirrored: what would panic raises.
"""

from __future__ import annotations

import enum
from typing import Final, NoReturn

from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.errors import PoolRevertError

_MAX_ROUNDS: Final = 255


class Variant(enum.Enum):
    """Whose iteration a stable pool runs: they differ in where it stops, by a unit of 1e-18 tokens."""

    SOLIDLY = "solidly"  # Solidly, Velodrome v1: stops where two steps are one unit apart
    VELODROME_V2 = "velodrome_v2"  # the smallest y that keeps k
    AERODROME = "aerodrome"  # the same, but compares with `_k`, which scales by the decimals once more


def panic(code: int) -> NoReturn:
    """Raise what Solidity's checked arithmetic reverts with: 0x11 overflow, 0x12 division by zero."""
    meaning = {0x11: "an amount leaves uint256", 0x12: "a divisor is zero"}[code]
    raise PoolRevertError(f"Panic(0x{code:02x})", found=f"the pool would revert: {meaning}")


def compute_k(x: int, y: int) -> int:
    """Return x**3 * y + y**3 * x; mirror of ``Pool._f`` and, for scaled amounts, ``Pool._k``."""
    return _fits(_fits(x * y) // WAD * (_fits(x * x) // WAD + _fits(y * y) // WAD)) // WAD


def find_y(x: int, k: int, y: int, decimals: tuple[int, int] | None) -> int:
    """Return the y that keeps ``k`` at ``x``, by Newton from ``y``; mirror of ``Pool._get_y``.

    The result is the smallest such y. ``decimals`` are token 0's and token 1's for
    `Variant.AERODROME`, None for `Variant.VELODROME_V2`.

    Raises:
        PoolRevertError: Panic(0x11), Panic(0x12), or ``!y`` where 255 steps do not converge.
    """
    x_squared = _fits(x * x) // WAD
    x_cubed = _fits(x_squared * x) // WAD
    for _ in range(_MAX_ROUNDS):
        y_squared = y * y // WAD
        product = x * y // WAD * (x_squared + y_squared)
        slope = 3 * x * y_squared // WAD + x_cubed
        if product > MAX_UINT256 or not slope:
            panic(0x11 if slope else 0x12)
        found = product // WAD
        if found < k:
            step = (k - found) * WAD // slope
            if not step:
                if _exceeds(x, y + 1, k, decimals):
                    return y + 1
                step = 1
            y += step
        else:
            step = (found - k) * WAD // slope
            if not step:
                if found == k or compute_k(x, y - 1) < k:
                    return y
                step = 1
            y -= step
            if y < 0:
                panic(0x11)
    raise PoolRevertError("!y", found="the stable curve does not converge in 255 steps")


def find_y_solidly(x: int, k: int, y: int) -> int:
    """Return the y that keeps ``k`` at ``x``; mirror of ``Pair._get_y`` of `Variant.SOLIDLY`.

    Raises:
        PoolRevertError: Panic(0x11) or Panic(0x12).
    """
    x_cubed = _fits(_fits(x * x) // WAD * x) // WAD
    for _ in range(_MAX_ROUNDS):
        y_squared = _fits(y * y) // WAD
        y_cubed = _fits(y_squared * y) // WAD
        found = _fits(x * y_cubed) // WAD + _fits(x_cubed * y) // WAD
        slope = _fits(3 * x * y_squared) // WAD + x_cubed
        if not slope:
            panic(0x12)
        step = _fits(abs(k - found) * WAD) // slope
        y += step if found < k else -step
        if y < 0:
            panic(0x11)
        if step <= 1:
            return y
    return y


def _exceeds(x: int, y: int, k: int, decimals: tuple[int, int] | None) -> bool:
    if decimals is None:
        return compute_k(x, y) > k
    decimals0, decimals1 = decimals
    return compute_k(_fits(x * WAD) // 10**decimals0, _fits(y * WAD) // 10**decimals1) > k


def _fits(product: int) -> int:
    if product > MAX_UINT256:
        panic(0x11)
    return product
