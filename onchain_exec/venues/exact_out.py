"""Exact output for pools whose contracts quote exact input only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from onchain_exec.errors import PoolRevertError

_NEIGHBOURS: Final = 3
"""A refusal counts when so many amounts in a row are refused: Aerodrome's stable pools overflow at
single amounts far below what they can fill."""


def find_amount_in(quote: Callable[[int], int], amount_out: int, guess: int) -> int:
    """Return the smallest amount_in that ``quote`` takes and whose answer reaches ``amount_out``.

    ``quote`` does not fall as its argument grows, gives 0 where an amount is too small to give
    anything, and refuses from some size on. The step away from ``guess`` doubles, then halves: a
    handful of quotes for a good guess.

    Raises:
        PoolRevertError: the pool refuses before it gives so much, with its own reason.
    """

    def reaches(amount_in: int) -> bool:
        try:
            return quote(find_taken(quote, amount_in)) >= amount_out
        except PoolRevertError:
            return True

    low, high, step = 0, max(guess, 1), 1
    if reaches(high):
        while high > step and reaches(high - step):
            high -= step
            step *= 2
        low = max(high - step, 0)
    else:
        while not reaches(high + step):
            high += step
            step *= 2
        low, high = high, high + step
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return find_taken(quote, high)


def find_taken(quote: Callable[[int], object], amount_in: int) -> int:
    """Return ``amount_in``, or the first above it that ``quote`` takes if it refuses a few in a row.

    Raises:
        PoolRevertError: they are all refused.
    """
    for amount in range(amount_in, amount_in + _NEIGHBOURS - 1):
        try:
            quote(amount)
        except PoolRevertError:
            continue
        return amount
    quote(amount_in + _NEIGHBOURS - 1)
    return amount_in + _NEIGHBOURS - 1
