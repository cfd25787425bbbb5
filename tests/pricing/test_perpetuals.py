"""Perpetual contracts: published values, and the trades that fix their prices."""

from __future__ import annotations

import numpy as np
import pytest
from reference_values import load

from onchain_exec.errors import InputError, NoArbitrageError
from onchain_exec.pricing.options import black76
from onchain_exec.pricing.perpetuals import (
    Fixing,
    Funding,
    get_everlasting_option_price,
    get_future_price,
    get_inverse_future_price,
    get_power_price,
)

PUBLISHED = load("perpetual_futures")
FIXINGS = {"prev": Fixing.PREVIOUS, "cur": Fixing.CURRENT, "cont": Fixing.CONTINUOUS}
PRICES = {"linear": get_future_price, "inverse": get_inverse_future_price}


@pytest.mark.parametrize("row", PUBLISHED["cases"], ids=lambda row: row["kind"])
def test_future_price_is_the_published_one(row):
    side, fixing = row["kind"].split("_")
    common = PUBLISHED["common"]
    funding = Funding(row["k"], common["iDiff"], FIXINGS[fixing], row["dt"])
    price = PRICES[side](common["S"], funding, common["r"], common["q"])
    assert price == pytest.approx(row["value"], rel=1e-12)


@pytest.mark.parametrize("get_price", PRICES.values())
def test_future_price_with_equal_yields_and_no_interest_is_the_spot(get_price):
    for fixing in Fixing:
        assert get_price([10.0, 3_000.0], Funding(0.3, 0, fixing, 0.01), 0.05, 0.05) == pytest.approx(
            [10, 3_000]
        )


def test_future_price_of_short_periods_is_the_continuous_one():
    period = 1e-6
    for fixing in (Fixing.PREVIOUS, Fixing.CURRENT):
        short = get_future_price(100.0, Funding(2 * period, 0.1 * period, fixing, period), 0.06, 0.01)
        assert short == pytest.approx(get_future_price(100.0, Funding(2, 0.1), 0.06, 0.01), rel=1e-6)


def test_future_price_that_funding_cannot_hold_is_refused():
    with pytest.raises(NoArbitrageError, match="row 1"):
        get_future_price(100.0, Funding(0.02), [0.01, 0.05], 0.0)
    with pytest.raises(InputError, match="period_years"):
        get_future_price(100.0, Funding(0.02, fixing=Fixing.CURRENT))


def test_everlasting_price_is_the_mean_over_an_exponential_expiry():
    """By 20,000 quantiles of the expiry; the closed form needs none."""
    spot, strikes, mean = 100.0, np.array([70.0, 100.0, 140.0]), 0.2
    years = -mean * np.log(1 - (np.arange(20_000) + 0.5) / 20_000)
    for is_call in (True, False):
        options = black76.get_price(is_call, spot, strikes[:, None], years, 0.8).mean(axis=1)
        found = get_everlasting_option_price(is_call, spot, strikes, 0.8, mean)
        assert found == pytest.approx(options, rel=1e-4)


def test_everlasting_call_less_put_is_the_payoff():
    spot = np.linspace(50, 150, 11)
    call, put = (get_everlasting_option_price(side, spot, 100.0, 0.9, 0.02) for side in (True, False))
    assert call - put == pytest.approx(spot - 100)


def test_power_price_of_power_one_is_the_spot_and_rises_with_volatility():
    assert get_power_price(3_000.0, 1, 0.9, 0.05) == pytest.approx(3_000)
    marks = get_power_price(3_000.0, 2, np.linspace(0.1, 1.5, 15), 17.5 / 365)
    assert (np.diff(marks) > 0).all()
    assert marks[0] > 3_000**2


def test_power_price_is_the_mean_over_the_funding_weights():
    """The premium paid each instant makes expiries weigh 1/2, 1/4, ... a funding period apart."""
    growth, period = 1 * (0.03 + 0.5 * 2 * 0.8**2), 17.5 / 365
    periods = np.arange(1, 200)
    expected = 100.0**2 * np.sum(0.5**periods * np.exp(growth * period * periods))
    assert get_power_price(100.0, 2, 0.8, period, 0.03) == pytest.approx(expected, rel=1e-12)


def test_power_price_that_grows_out_of_its_funding_is_refused():
    with pytest.raises(NoArbitrageError, match="row 0"):
        get_power_price(3_000.0, 2, 0.9, 1.0)
