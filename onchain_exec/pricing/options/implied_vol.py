"""Black's volatility that gives a price, to machine accuracy.

The unknown is s = vol sqrt(years), the equation ln b(x, s) = ln(price) on the side where b is below half
of its greatest value and ln(b_max - b) = ln(greatest - price) on the other, both nearly straight there.
The guess is Bachelier's on the first side (exact as s goes to 0, and never above the root) and that of
x = 0 on the second; Householder's third-order step then multiplies the right digits by four. Two steps do
nearly always; rows that still move get more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from onchain_exec.errors import NoArbitrageError
from onchain_exec.pricing.options.bachelier import guess_z
from onchain_exec.pricing.options.normalised import (
    ROOT_2_PI,
    SERIES_BELOW,
    get_log_price,
    get_spread,
)
from onchain_exec.pricing.rows import (
    Floats,
    require_finite,
    require_positive,
    run_in_blocks,
    to_rows,
)

_FIRST_SERIES_BELOW: Final = 1e-3
"""Of the first step: the last one alone needs the price to the last digit."""

MOST_STEPS: Final = 8
STILL_MOVING: Final = 1e-4
"""A last step of this relative size leaves an error of its fourth power: below the last bit."""

_AT_THE_MONEY: Final = 1e-9

Refine: TypeAlias = Callable[[Floats, Floats, Floats, Floats], Floats]
"""Makes the steps: of x, guesses of s, targets, and signs as of `find_step`; returns s."""


def get_bounds(is_call: ArrayLike, forward: ArrayLike, strike: ArrayLike) -> tuple[Floats, Floats]:
    """Return the undiscounted prices between which, both excluded, a volatility exists: the payoff at
    the forward, and the forward (call) or strike (put)."""
    return _find_bounds(*to_rows(is_call=is_call, forward=forward, strike=strike))


def _find_bounds(call: Floats, forward: Floats, strike: Floats) -> tuple[Floats, Floats]:
    intrinsic = np.maximum(np.where(call != 0, forward - strike, strike - forward), 0.0)
    return intrinsic, np.where(call != 0, forward, strike)


def has_implied_vol(
    is_call: ArrayLike, undiscounted: ArrayLike, forward: ArrayLike, strike: ArrayLike
) -> NDArray[np.bool_]:
    """Say for each undiscounted price whether it lies within its bounds."""
    low, high = get_bounds(is_call, forward, strike)
    price = np.asarray(undiscounted, np.float64)
    found: NDArray[np.bool_] = (price > low) & (price < high)
    return found


def get_implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Floats:
    """Return the volatility per square root of a year whose `black76.get_price` is ``price``.

    The relative error is about 1e-14 for out-of-the-money prices, however far (37 standard deviations,
    where a double ends); in the money it is what subtracting the payoff leaves. Arguments broadcast.

    Raises:
        InputError: a forward, strike or time that is not above 0, or a rate or price not finite.
        NoArbitrageError: a price at or outside of its bounds (`get_bounds`); `has_implied_vol` tells
            which rows.
    """
    return invert(refine, is_call, price, forward, strike, years, rate)


def invert(refine: Refine, *columns: ArrayLike) -> Floats:
    """Return what `get_implied_vol` returns of its columns, with other code to make the steps."""
    names = ("is_call", "price", "forward", "strike", "years", "rate")
    call, price, forward, strike, years, rate = to_rows(**dict(zip(names, columns, strict=True)))
    require_positive(forward=forward, strike=strike, years=years)
    require_finite(price=price, rate=rate)
    undiscounted = price * np.exp(rate * years) if rate.any() else price
    low, high = _find_bounds(call, forward, strike)
    _require_within(undiscounted, low, high)
    rows = [undiscounted - low, high - undiscounted, forward, strike, years]
    return run_in_blocks(partial(_solve, refine), rows, 1)[0]


def _require_within(price: Floats, low: Floats, high: Floats) -> None:
    within = (price > low) & (price < high)
    if not within.all():
        row = int(np.argmin(within))
        raise NoArbitrageError(
            f"an undiscounted price of {price.flat[row]:.17g} in row {row}",
            needed=f"a price above {low.flat[row]:.17g} and below {high.flat[row]:.17g}",
            todo="Leave rows out that has_implied_vol() refuses, or check forward, strike and rate",
        )


def _solve(refine: Refine, *rows: Floats) -> Sequence[Floats]:
    value, missing, forward, strike, years = rows
    small, large = np.minimum(forward, strike), np.maximum(forward, strike)
    ratio = small / large
    # where the quotient is near 1 its logarithm would keep only the quotient's absolute accuracy
    x = np.where(ratio > 0.5, np.log1p(np.maximum((small - large) / large, -0.5)), np.log(ratio))
    root = np.sqrt(forward) * np.sqrt(strike)
    b, c = value / root, missing / root
    upper = b > c
    stdev, sign = _guess(x, b, c, upper), np.where(upper, -1.0, 1.0)
    target = np.log(np.where(upper, c, b))
    return (refine(x, stdev, target, sign) / np.sqrt(years),)


def refine(x: Floats, stdev: Floats, target: Floats, sign: Floats) -> Floats:
    """Return the deviations that guesses lead to, in steps of `find_step`."""
    stdev = stdev + find_step(x, stdev, target, sign, _FIRST_SERIES_BELOW)
    rows: slice | NDArray[np.intp] = slice(None)
    for _ in range(MOST_STEPS):
        step = find_step(x[rows], stdev[rows], target[rows], sign[rows], SERIES_BELOW)
        stdev[rows] += step
        rows = np.arange(len(stdev))[rows][np.abs(step) > STILL_MOVING * stdev[rows]]
        if not len(rows):
            break
    return stdev


def _guess(x: Floats, b: Floats, c: Floats, upper: NDArray[np.bool_]) -> Floats:
    far = -x > _AT_THE_MONEY * b
    distance = np.where(far, -x, 1.0)
    stdev = np.where(far, distance / guess_z(np.log(b / distance)), b * ROOT_2_PI)
    at_0 = -2 * ndtri(0.5 * c[upper])
    # s = sqrt(-2 x) is where b bends: on this side the root is not far below it
    stdev[upper] = np.maximum(at_0, np.sqrt(-2 * x[upper]))
    return stdev


def find_step(x: Floats, stdev: Floats, target: Floats, sign: Floats, series_below: float) -> Floats:
    """Return Householder's step of third order towards ln b = target, or, where ``sign`` is -1, towards
    ln(b_max - b) = target."""
    h, t = x / stdev, 0.5 * stdev
    ratio = get_spread(h, t, sign, series_below)
    newton = get_log_price(h, t, ratio)
    newton -= target
    slope = sign / ratio
    newton /= -slope
    # b' is the normal density; b'' / b' and b''' / b' are rational in h and s
    quotient = h / stdev
    second = h * quotient - 0.25 * stdev
    third = second * second - 3 * quotient * quotient - 0.25
    bend = second - slope
    twist = third - slope * (3 * second - 2 * slope)
    step: Floats = newton * (1 + 0.5 * bend * newton) / (1 + newton * (bend + twist * newton / 6))
    return np.maximum(step, -0.5 * stdev)
