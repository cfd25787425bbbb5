"""The largest front-run of one pool that just does not pay for its gas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from math import sqrt
from typing import Final

from onchain_exec.risk.exposure.allocation import Point

_CLOSE: Final = 1 / 128
"""Of what the order loses: how much less than the most may be told."""

_PATIENCE: Final = 3
"""Every so many tries the middle is looked at, as a guess may be on the same side for ever."""


def find_even(
    points: Sequence[Point], needed: float, least: float, try_amount: Callable[[int], Point | None]
) -> Point | None:
    """Return the largest front-run that gains no more than ``needed``, the loss to it up to a 128th less than
    the most; the first one found from the loss of ``least`` on; None where nothing gains more.

    ``points`` begin with no front-run and rise. What is gained is about a parabola of what is put in, so that
    the next guess is the root of the one through nothing and the two points that are nearest. It rises ever
    more slowly: how far the root can lie beyond the larger of two points is told by the line through both.
    """
    first = next((place for place, point in enumerate(points) if point.gain > needed), None)
    if first is None:
        return None
    even, paying, other = points[first - 1], points[first], points[min(first + 1, len(points) - 1)]
    for tries in count(1):
        beyond = (needed - even.gain) / (paying.gain - even.gain) * (paying.loss - even.loss)
        if even.loss >= least or beyond <= _CLOSE * even.loss or paying.amount - even.amount < 2:
            break
        amount = (even.amount + paying.amount) // 2
        if tries % _PATIENCE:
            amount = int(_guess(paying, even if even.amount else other, needed) * (1 - _CLOSE / 4))
        middle = try_amount(min(max(amount, even.amount + 1), paying.amount - 1))
        if middle is None:
            break
        if middle.gain > needed:
            paying, other = middle, paying
        else:
            even = middle
    return even


def _guess(one: Point, other: Point, needed: float) -> float:
    """Return where the parabola through nothing and two points reaches ``needed``; where it does not, where
    the line from nothing to the first of them does."""
    slope = one.gain / one.amount
    bend = (other.gain / other.amount - slope) / (one.amount - other.amount) if one != other else 0.0
    begin = slope + bend * one.amount
    left = begin**2 - 4 * bend * needed
    if left < 0 or begin <= 0:
        return needed / slope
    return 2 * needed / (begin + sqrt(left))
