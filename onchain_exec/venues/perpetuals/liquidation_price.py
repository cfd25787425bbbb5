"""The price at which a position is about to be liquidated, found by asking at prices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_REACH: Final = 10**6
"""How far, in times the price, one is looked for."""


def find_liquidation_price(holds: Callable[[int], bool], price: int, *, is_long: bool) -> int | None:
    """Return the last price at which a position ``holds``: the lowest of a long's, the highest of a short's.

    None where no price within a million times ``price`` decides.
    """
    holding, broken = price * _REACH, price // _REACH
    if not is_long:
        holding, broken = broken, holding
    if not holds(holding) or holds(broken):
        return None
    while abs(holding - broken) > 1:
        middle = (holding + broken) // 2
        if holds(middle):
            holding = middle
        else:
            broken = middle
    return holding
