"""European options on a spot that pays a continuous yield: Black-Scholes-Merton, price and every Greek.

F = S e^((r - q) T).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from onchain_exec.pricing.options.black76 import Greeks
from onchain_exec.pricing.rows import (
    Floats,
    require_finite,
    require_positive,
    run_in_blocks,
    to_rows,
)


@dataclass(frozen=True, slots=True)
class Carry:
    """Continuous yields per year: ``rate`` of the money, ``dividend`` of the underlying (of a coin, what
    lending or funding pays on it). Arrays broadcast with the other arguments."""

    rate: ArrayLike = 0.0
    dividend: ArrayLike = 0.0


NO_CARRY: Final = Carry()


@dataclass(frozen=True, slots=True)
class CrossGreeks:
    """What the first-order Greeks do when spot, volatility or time move; arrays of one shape.

    ``dividend_rho`` is per 1.0 of the yield, ``vanna`` the delta's and ``volga`` the vega's change per
    1.0 of volatility, ``charm`` the delta's and ``color`` the gamma's per year that passes, ``speed``
    the gamma's per unit of spot, ``zomma`` the gamma's per 1.0 of volatility.
    """

    dividend_rho: Floats
    vanna: Floats
    volga: Floats
    charm: Floats
    speed: Floats
    zomma: Floats
    color: Floats


def get_price(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    carry: Carry = NO_CARRY,
) -> Floats:
    """Return S e^(-qT) N(d1) - K e^(-rT) N(d2), and for a put its mirror. Arguments broadcast.

    Raises:
        InputError: a spot, strike, time or volatility not above 0, or a rate or yield not finite.
    """
    return run_in_blocks(_price, _check(carry, is_call, spot, strike, years, vol), 1)[0]


def get_greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    carry: Carry = NO_CARRY,
) -> Greeks:
    """Return price, delta, gamma, vega, theta and rho with respect to the *spot*. As `get_price`."""
    return Greeks(*run_in_blocks(_greeks, _check(carry, is_call, spot, strike, years, vol), 6))


def get_cross_greeks(
    is_call: ArrayLike,
    spot: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    vol: ArrayLike,
    carry: Carry = NO_CARRY,
) -> CrossGreeks:
    """Return the other Greeks. Arguments and errors as of `get_price`."""
    rows = _check(carry, is_call, spot, strike, years, vol)
    return CrossGreeks(*run_in_blocks(_cross_greeks, rows, 7))


def _check(carry: Carry, *values: ArrayLike) -> list[Floats]:
    names = ("is_call", "spot", "strike", "years", "vol", "rate", "dividend")
    rows = to_rows(**dict(zip(names, (*values, carry.rate, carry.dividend), strict=True)))
    is_call, spot, strike, years, vol, rate, dividend = rows
    require_positive(spot=spot, strike=strike, years=years, vol=vol)
    require_finite(rate=rate, dividend=dividend)
    return [np.where(is_call != 0, 1.0, -1.0), spot, strike, years, vol, rate, dividend]


def _find_d(*rows: Floats) -> tuple[Floats, Floats]:
    """Return d1 and the standard deviation of the log return."""
    spot, strike, years, vol, rate, dividend = rows
    stdev = vol * np.sqrt(years)
    return (np.log(spot / strike) + (rate - dividend) * years) / stdev + 0.5 * stdev, stdev


def _legs(*rows: Floats) -> tuple[Floats, Floats]:
    """Return what the option holds of the underlying, and what it owes or is owed: price is their sum."""
    sign, spot, strike, years, _, rate, dividend = rows
    d1, stdev = _find_d(*rows[1:])
    asset = sign * spot * np.exp(-dividend * years) * ndtr(sign * d1)
    return asset, -sign * strike * np.exp(-rate * years) * ndtr(sign * (d1 - stdev))


def _price(*rows: Floats) -> Sequence[Floats]:
    return (np.add(*_legs(*rows)),)


def _greeks(*rows: Floats) -> Sequence[Floats]:
    _, spot, _, years, vol, rate, dividend = rows
    d1, stdev = _find_d(*rows[1:])
    asset, cash = _legs(*rows)
    vega = spot * np.exp(-dividend * years) * _density(d1) * np.sqrt(years)
    gamma = vega / (spot * spot * np.sqrt(years) * stdev)
    theta = -0.5 * vega * vol / years + rate * cash + dividend * asset
    return asset + cash, asset / spot, gamma, vega, theta, -years * cash


def _cross_greeks(*rows: Floats) -> Sequence[Floats]:
    _, spot, _, years, vol, rate, dividend = rows
    d1, stdev = _find_d(*rows[1:])
    d2 = d1 - stdev
    asset, _ = _legs(*rows)
    density = np.exp(-dividend * years) * _density(d1)
    gamma = density / (spot * stdev)
    drift = 2 * (rate - dividend) * years - d2 * stdev
    return (
        -years * asset,
        -density * d2 / vol,
        spot * density * np.sqrt(years) * d1 * d2 / vol,
        dividend * asset / spot - density * drift / (2 * years * stdev),
        -gamma / spot * (d1 / stdev + 1),
        gamma * (d1 * d2 - 1) / vol,
        gamma / (2 * years) * (2 * dividend * years + 1 + drift * d1 / stdev),
    )


def _density(d: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * d * d) / math.sqrt(2 * math.pi)
    return density
