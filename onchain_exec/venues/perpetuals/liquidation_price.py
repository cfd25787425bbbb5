"""The price at which a position is about to be liquidated, found by asking at prices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from onchain_exec.core.bisection import find_largest

_REACH: Final = 10**6
"""How far, in times the price, one is looked for."""


def find_liquidation_price(holds: Callable[[int], bool], price: int, *, is_long: bool) -> int | None:
    """Return the last price at which a position ``holds``: the lowest of a long's, the highest of a short's.

    None where no price within a million times ``price`` decides.
    """
    low, high = price // _REACH, price * _REACH
    if holds(low) == holds(high):
        return None
    if is_long:
        return find_largest(lambda one: not holds(one), low, high) + 1
    return find_largest(holds, low, high)
