"""European options on a forward: Black (1976), price and Greeks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from onchain_exec.pricing.rows import (
    Floats,
    require_finite,
    require_not_negative,
    require_positive,
    run_in_blocks,
    to_rows,
)

_DENSITY_AT_0: Final = 1 / math.sqrt(2 * math.pi)
_NEXT_TO_0: Final = 1e-30


@dataclass(frozen=True, slots=True)
class Greeks:
    """A price and its first derivatives, in the price's unit; arrays of one shape.

    ``delta`` and ``gamma`` are per unit of the underlying, ``vega`` per 1.0 of volatility (100 points),
    ``theta`` per year that passes, ``rho`` per 1.0 of the rate.
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats


def get_price(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Floats:
    """Return e^(-rT) (F N(d1) - K N(d2)), and for a put its mirror. Arguments broadcast.

    Error: below 1e-15 of the larger of forward and strike. ``years`` to expiry, ``vol`` per square root
    of a year, ``rate`` continuous.

    Raises:
        InputError: a forward or strike that is not above 0, a time or volatility below 0 (at 0 the price
            is the discounted payoff), or a rate that is not finite.
    """
    return run_in_blocks(_price, _check(is_call, forward, strike, years, vol, rate), 1)[0]


def get_greeks(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Return price, delta, gamma, vega, theta and rho with respect to the *forward*, which stays where
    it is when time or rate move. Arguments and errors as of `get_price`, but time and volatility are
    above 0: at expiry the slopes are steps."""
    rows = _check(is_call, forward, strike, years, vol, rate)
    require_positive(years=rows[3], vol=rows[4])
    return Greeks(*run_in_blocks(_greeks, rows, 6))


def _check(*values: ArrayLike) -> list[Floats]:
    names = ("is_call", "forward", "strike", "years", "vol", "rate")
    rows = to_rows(**dict(zip(names, values, strict=True)))
    is_call, forward, strike, years, vol, rate = rows
    require_positive(forward=forward, strike=strike)
    require_not_negative(years=years, vol=vol)
    require_finite(rate=rate)
    return [np.where(is_call != 0, 1.0, -1.0), forward, strike, years, vol, rate]


def _price(*rows: Floats) -> Sequence[Floats]:
    sign, forward, strike, years, vol, rate = rows
    stdev = vol * np.sqrt(years)
    # nothing can move: any deviation that is far below the distance of two doubles will do
    stdev[stdev == 0] = _NEXT_TO_0
    d1 = np.log(forward / strike) / stdev + 0.5 * stdev
    undiscounted = forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - stdev))
    return (sign * undiscounted * np.exp(-rate * years),)


def _greeks(*rows: Floats) -> Sequence[Floats]:
    sign, forward, strike, years, vol, rate = rows
    root = np.sqrt(years)
    stdev = vol * root
    d1 = np.log(forward / strike) / stdev + 0.5 * stdev
    has_rate = bool(rate.any())
    weight = sign * np.exp(-rate * years) if has_rate else sign
    delta = weight * ndtr(sign * d1)
    price = delta * forward
    price -= weight * strike * ndtr(sign * (d1 - stdev))
    vega = np.exp(-0.5 * d1 * d1)
    vega *= _DENSITY_AT_0 * root * forward
    if has_rate:
        vega *= np.abs(weight)
    gamma = vega / (forward * forward * root * stdev)
    theta = vega * vol
    theta /= -2 * years
    if has_rate:
        theta += rate * price
    return price, delta, gamma, vega, theta, -years * price
