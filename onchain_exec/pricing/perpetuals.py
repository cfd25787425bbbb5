"""Contracts that never expire: perpetual futures, power perpetuals, everlasting options, at fair value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike

from onchain_exec.errors import NoArbitrageError
from onchain_exec.pricing.rows import Floats, require_finite, require_positive, to_rows


class Fixing(Enum):
    """Which premium a funding payment is computed from."""

    CONTINUOUS = "continuous"
    PREVIOUS = "previous"
    """That of the period's begin: known in advance."""

    CURRENT = "current"
    """That of the moment of payment."""


@dataclass(frozen=True, slots=True)
class Funding:
    """What the long pays: ``premium_rate`` times (perpetual - spot), less ``interest`` times the spot.

    Both are per year when ``fixing`` is continuous, else per period of ``period_years``. Venues quote
    the premium as mark over index; a venue that pays 1/8 of the day's premium each 8 hours has a
    ``premium_rate`` of 1/3 a period or 365 a year.
    """

    premium_rate: float
    interest: float = 0.0
    fixing: Fixing = Fixing.CONTINUOUS
    period_years: float = 0.0


def get_future_price(
    spot: ArrayLike, funding: Funding, rate: ArrayLike = 0.0, dividend: ArrayLike = 0.0
) -> Floats:
    """Return the fair price of a linear perpetual (margin and profit in the quote currency).

    ``rate`` and ``dividend`` are the continuous yields of quote and underlying. Source: Ackerer,
    Hugonnier, Jermann, Perpetual Futures Pricing (2024), eq. 12 and propositions 2 to 4.

    Raises:
        NoArbitrageError: these yields and this funding leave no finite positive price.
    """
    spot, quote, coin = _grow(spot, funding, rate, dividend)
    kappa, pull = funding.premium_rate, funding.premium_rate - funding.interest
    match funding.fixing:
        case Fixing.CONTINUOUS:
            return _divide(spot * pull, coin - quote + kappa)
        case Fixing.PREVIOUS:
            return _divide(spot * pull * coin, coin - quote + kappa * coin)
        case Fixing.CURRENT:
            return _divide(spot * pull * quote, coin - quote + kappa * quote)


def get_inverse_future_price(
    spot: ArrayLike, funding: Funding, rate: ArrayLike = 0.0, dividend: ArrayLike = 0.0
) -> Floats:
    """Return the fair price of an inverse perpetual (margin and profit in the coin). As
    `get_future_price`, with the premium taken on the price of the quote currency in coins."""
    spot, quote, coin = _grow(spot, funding, rate, dividend)
    kappa, pull = funding.premium_rate, funding.premium_rate - funding.interest
    match funding.fixing:
        case Fixing.CONTINUOUS:
            return _divide(spot * (quote - coin + kappa), np.full_like(quote, pull))
        case Fixing.PREVIOUS:
            return _divide(spot * (quote - coin + kappa * quote), pull * quote)
        case Fixing.CURRENT:
            return _divide(spot * (quote - coin + kappa * coin), pull * coin)


def get_power_price(
    spot: ArrayLike, power: float, vol: ArrayLike, funding_years: ArrayLike, rate: ArrayLike = 0.0
) -> Floats:
    """Return the fair mark of a perpetual on spot ** power whose premium is paid over ``funding_years``.

    mark = index / (2 exp(-f (p - 1) (r + p v^2 / 2)) - 1). Source: White, Robinson, Lambert, Potter,
    Power Perpetuals (Paradigm 2021).

    Raises:
        NoArbitrageError: the growth over one funding period reaches ln 2: no mark holds it.
    """
    spot, vol, funding_years, rate = to_rows(spot=spot, vol=vol, funding_years=funding_years, rate=rate)
    require_positive(spot=spot, vol=vol, funding_years=funding_years)
    growth = (power - 1) * (rate + 0.5 * power * vol * vol)
    index: Floats = spot**power
    shrunk: Floats = np.expm1(-funding_years * growth)
    return _divide(index, 1.0 + 2.0 * shrunk)


def get_everlasting_option_price(
    is_call: ArrayLike, spot: ArrayLike, strike: ArrayLike, vol: ArrayLike, funding_years: ArrayLike
) -> Floats:
    """Return the fair mark of an everlasting option with continuous funding over ``funding_years``, rate 0.

    It is a European option with an exponential expiry of that mean: payoff + K (S/K)^((1 -+ u) / 2) / u,
    u = sqrt(1 + 8 / (v^2 f)). Sources: White, Bankman-Fried, Everlasting Options (2021); Deri's
    EverlastingOptionPricing.getEverlastingTimeValueAndDelta.
    """
    call, spot, strike, vol, funding_years = to_rows(
        is_call=is_call, spot=spot, strike=strike, vol=vol, funding_years=funding_years
    )
    require_positive(spot=spot, strike=strike, vol=vol, funding_years=funding_years)
    u = np.sqrt(1 + 8 / (vol * vol * funding_years))
    moneyness = spot / strike
    time_value = strike * moneyness ** (0.5 * np.where(moneyness > 1, 1 - u, 1 + u)) / u
    payoff = np.maximum(np.where(call != 0, spot - strike, strike - spot), 0.0)
    price: Floats = payoff + time_value
    return price


def _grow(
    spot: ArrayLike, funding: Funding, rate: ArrayLike, dividend: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Return spot and what quote and coin yield: per year, or as factors over a period."""
    spot, rate, dividend = to_rows(spot=spot, rate=rate, dividend=dividend)
    require_positive(spot=spot)
    require_finite(rate=rate, dividend=dividend)
    if funding.fixing is Fixing.CONTINUOUS:
        return spot, rate, dividend
    years = np.asarray(funding.period_years)
    require_positive(period_years=years)
    return spot, np.exp(rate * years), np.exp(dividend * years)


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    good = (numerator > 0) & (denominator > 0)
    if not good.all():
        row = int(np.argmin(good))
        raise NoArbitrageError(
            f"no finite positive fair price in row {row}",
            needed="funding that pulls the price back faster than the yields push it away",
        )
    return numerator / denominator
