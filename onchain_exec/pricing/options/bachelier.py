"""European options on a forward that moves by amounts, not by ratios: Bachelier (1900).

For spreads, funding rates and other underlyings that may be negative. Volatility is in the underlying's
unit per square root of a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from onchain_exec.errors import NoArbitrageError
from onchain_exec.pricing.options.black76 import Greeks
from onchain_exec.pricing.options.normalised import LN_ROOT_2_PI, ROOT_2_PI, get_mills_ratio
from onchain_exec.pricing.rows import (
    Floats,
    require_finite,
    require_positive,
    run_in_blocks,
    to_rows,
)

_STEPS: Final = 3
_AT_THE_MONEY: Final = 1e-9
_Z: Final = np.geomspace(40, 1e-9, 1_500)
_LN_Z: Final = np.log(_Z)


def get_ln_value(z: Floats) -> Floats:
    """Return ln(n(z) / z - N(-z)): an out-of-the-money price over its distance, z deviations away."""
    value: Floats = np.log(1 / z - get_mills_ratio(-z)) - 0.5 * z * z - LN_ROOT_2_PI
    return value


_LN_VALUE: Final = get_ln_value(_Z)


def guess_z(ln_value: Floats) -> Floats:
    """Return the z of a `get_ln_value` to four digits, between 1e-9 and 40."""
    z: Floats = np.exp(np.interp(ln_value, _LN_VALUE, _LN_Z))
    return z


def get_price(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    normal_vol: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Floats:
    """Return e^(-rT) ((F - K) N(d) + s n(d)), s = vol sqrt(T), d = (F - K) / s; a put's mirror.

    Raises:
        InputError: a time or volatility not above 0, another number that is not finite.
    """
    return run_in_blocks(_price, _check(is_call, forward, strike, years, normal_vol, rate), 1)[0]


def get_greeks(
    is_call: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    normal_vol: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Greeks:
    """Return price, delta, gamma, vega (per unit of normal volatility), theta and rho. As `get_price`."""
    return Greeks(*run_in_blocks(_greeks, _check(is_call, forward, strike, years, normal_vol, rate), 6))


def get_implied_vol(
    is_call: ArrayLike,
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    rate: ArrayLike = 0.0,
) -> Floats:
    """Return the normal volatility whose `get_price` is ``price``, to machine accuracy.

    Raises:
        InputError: as of `get_price`.
        NoArbitrageError: a price at or below the discounted payoff.
    """
    call, price, forward, strike, years, rate = to_rows(
        is_call=is_call, price=price, forward=forward, strike=strike, years=years, rate=rate
    )
    require_positive(years=years)
    require_finite(price=price, forward=forward, strike=strike, rate=rate)
    distance = forward - strike
    payoff = np.maximum(np.where(call != 0, distance, -distance), 0.0)
    value = price * np.exp(rate * years) - payoff
    if not (value > 0).all():
        row = int(np.argmin(value > 0))
        raise NoArbitrageError(
            f"an undiscounted price of {payoff.flat[row] + value.flat[row]:.17g} in row {row}",
            needed=f"a price above its payoff at the forward, {payoff.flat[row]:.17g}",
        )
    return run_in_blocks(_solve, [value, np.abs(distance), years], 1)[0]


def _check(*values: ArrayLike) -> list[Floats]:
    names = ("is_call", "forward", "strike", "years", "normal_vol", "rate")
    rows = to_rows(**dict(zip(names, values, strict=True)))
    is_call, forward, strike, years, vol, rate = rows
    require_positive(years=years, normal_vol=vol)
    require_finite(forward=forward, strike=strike, rate=rate)
    return [np.where(is_call != 0, 1.0, -1.0), forward, strike, years, vol, rate]


def _price(*rows: Floats) -> Sequence[Floats]:
    sign, forward, strike, years, vol, rate = rows
    stdev, distance = vol * np.sqrt(years), sign * (forward - strike)
    d = distance / stdev
    return (np.exp(-rate * years) * (distance * ndtr(d) + stdev * np.exp(-0.5 * d * d) / ROOT_2_PI),)


def _greeks(*rows: Floats) -> Sequence[Floats]:
    sign, forward, strike, years, vol, rate = rows
    (price,) = _price(*rows)
    stdev, discount = vol * np.sqrt(years), np.exp(-rate * years)
    d = (forward - strike) / stdev
    density = discount * np.exp(-0.5 * d * d) / ROOT_2_PI
    theta = rate * price - 0.5 * density * stdev / years
    delta = sign * discount * ndtr(sign * d)
    return price, delta, density / stdev, density * np.sqrt(years), theta, -years * price


def _solve(value: Floats, distance: Floats, years: Floats) -> Sequence[Floats]:
    """Find z with n(z) / z - N(-z) = value / distance by Halley's step on its logarithm."""
    far = distance > _AT_THE_MONEY * value
    safe = np.where(far, distance, value)
    target = np.log(value / safe)
    z = guess_z(target)
    for _ in range(_STEPS):
        # p = n / z - N(-z): p' = -n / z^2, p'' / p' = -z - 2 / z
        slope = -1 / (z * (1 - z * get_mills_ratio(-z)))
        newton = -(get_ln_value(z) - target) / slope
        bend = -(z + 2 / z) - slope
        z = z + newton / (1 + 0.5 * newton * bend)
    stdev = np.where(far, safe / z, (value + 0.5 * distance) * ROOT_2_PI)
    return (stdev / np.sqrt(years),)
