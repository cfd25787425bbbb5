"""How an attacker divides what a victim's bound lets him take over the pools that he can move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import NamedTuple


class Point(NamedTuple):
    """A front-run of ``amount``: the loss that it adds to the victim's, and what it gains."""

    amount: int
    loss: float
    gain: float


@dataclass(frozen=True, slots=True)
class Allocation:
    """What goes into each pool, and what all of it gains by the curves. ``binds`` says whether what is
    allowed stops it, be it the loss or the end of a curve; else it is where no more is gained."""

    amounts: tuple[int, ...]
    gain: float
    binds: bool


def allocate(curves: Sequence[Sequence[Point]], slack: float) -> Allocation:
    """Return the division of ``slack`` that gains most.

    Each curve begins with the front-run that is made anyway and rises in amount and loss. On their upper
    hulls every step of a curve gains less per loss than the one before it, so that taking the steepest
    steps of all, one after the other, is best; the last may be taken in part.
    """
    amounts = [curve[0].amount for curve in curves]
    steps = [
        (_slope(begin, end), number, begin, end)
        for number, curve in enumerate(curves)
        for begin, end in pairwise(_find_hull(curve))
    ]
    left, total, binds = slack, 0.0, False
    for _, number, begin, end in sorted(steps, key=lambda step: -step[0]):
        loss = end.loss - begin.loss
        if loss > left:
            part = left / loss
            amounts[number] = begin.amount + int((end.amount - begin.amount) * part)
            total += (end.gain - begin.gain) * part
            binds = True
            break
        amounts[number] = end.amount
        total += end.gain - begin.gain
        left -= loss
        binds |= end is curves[number][-1]
    return Allocation(tuple(amounts), total, binds)


def _find_hull(curve: Sequence[Point]) -> list[Point]:
    """Return the points of the upper concave hull, as far as it rises."""
    hull = [curve[0]]
    for point in curve[1:]:
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) <= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    top = max(range(len(hull)), key=lambda index: hull[index].gain)
    return hull[: top + 1]


def _slope(begin: Point, end: Point) -> float:
    loss, gain = end.loss - begin.loss, end.gain - begin.gain
    if loss > 0:
        return gain / loss
    return inf if gain > 0 else -inf
