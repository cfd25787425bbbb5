"""The price of one asset at which an account can first be liquidated, found through the mirror itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from onchain_exec.core.bisection import find_largest

_HIGHEST_RISE: Final = 1 << 32


def find_liquidation_price(is_liquidatable: Callable[[int], bool], price: int) -> int | None:
    """Return the price nearest to ``price`` at which the account can be liquidated; None if none can do it.

    The next integer towards ``price`` leaves it healthy. An account's value is linear in one price, but
    for the pool's rounding of the average threshold to basis points: within that rounding there may be
    others.
    """
    if is_liquidatable(price):
        return price
    if is_liquidatable(1):
        return find_largest(is_liquidatable, 1, price)
    highest = price * _HIGHEST_RISE
    if is_liquidatable(highest):
        return 1 + find_largest(lambda higher: not is_liquidatable(higher), price, highest)
    return None
