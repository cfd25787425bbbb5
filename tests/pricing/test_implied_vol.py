"""The volatility that gives the price: to the last digits, everywhere a price exists, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_values import load

from onchain_exec.errors import InputError, NoArbitrageError
from onchain_exec.pricing.options import bachelier, black76
from onchain_exec.pricing.options.implied_vol import get_bounds, get_implied_vol, has_implied_vol

FAR = [np.array(column) for column in zip(*load("options_far_from_the_money")["rows"], strict=True)]


def test_implied_vol_of_exact_prices_is_exact_to_36_deviations():
    is_call, strike, years, vol, price = FAR
    assert np.max(np.abs(get_implied_vol(is_call, price, 100.0, strike, years) / vol - 1)) < 1e-13


def test_implied_vol_in_the_money_is_what_the_payoff_leaves():
    rng = np.random.default_rng(1)
    vol, years, z = rng.uniform(0.1, 1.5, 20_000), rng.uniform(0.01, 2, 20_000), rng.uniform(0, 3, 20_000)
    strike = 100 * np.exp(-z * vol * np.sqrt(years))
    price = black76.get_price(True, 100.0, strike, years, vol, 0.05)
    vega = black76.get_greeks(True, 100.0, strike, years, vol, 0.05).vega
    error = np.abs(get_implied_vol(True, price, 100.0, strike, years, 0.05) - vol)
    assert np.max(error * vega) < 1e-12  # the price of 100 has that many digits, no more


@given(
    st.booleans(),
    st.floats(1e-6, 1e12),
    st.floats(1e-6, 1e12),
    st.floats(1e-6, 50),
    st.floats(1e-12, 1, exclude_max=True),
)
def test_implied_vol_of_any_price_between_its_bounds_gives_the_price_back(
    is_call, forward, strike, years, share
):
    low, high = (float(bound) for bound in get_bounds(is_call, forward, strike))
    price = low + share * (high - low)
    if not has_implied_vol(is_call, price, forward, strike):
        return
    vol = get_implied_vol(is_call, price, forward, strike, years)
    assert np.isfinite(vol)
    assert vol > 0
    again = black76.get_price(is_call, forward, strike, years, vol)
    assert again == pytest.approx(price, abs=1e-13 * max(forward, strike))


def test_implied_vol_rises_with_the_price():
    price = np.linspace(0, 100, 100_002)[1:-1]
    vol = get_implied_vol(True, price, 100.0, 120.0, 1.0)
    assert (np.diff(vol) > 0).all()


@pytest.mark.parametrize(
    ("is_call", "price", "strike"),
    [(True, 10.0, 90.0), (True, 100.0, 90.0), (False, 0.0, 90.0), (False, 90.0, 90.0), (True, -1.0, 120.0)],
)
def test_implied_vol_at_or_outside_the_bounds_is_refused(is_call, price, strike):
    assert not has_implied_vol(is_call, price, 100.0, strike)
    with pytest.raises(NoArbitrageError, match="in row 1") as refused:
        get_implied_vol(is_call, [20.0, price], 100.0, strike, 1.0)
    assert "above" in refused.value.needed


def test_implied_vol_of_no_number_is_refused():
    with pytest.raises(InputError, match="price = nan in row 0"):
        get_implied_vol(True, np.nan, 100.0, 100.0, 1.0)


def test_normal_implied_vol_gives_the_volatility_back():
    rng = np.random.default_rng(4)
    forward, vol, years = (
        rng.normal(0, 10, 20_000),
        10 ** rng.uniform(-3, 2, 20_000),
        rng.uniform(0.01, 3, 20_000),
    )
    distance = rng.choice([1e-12, 1e-3, 1, 5], 20_000) * rng.random(20_000) * vol * np.sqrt(years)
    price = bachelier.get_price(True, forward, forward + distance, years, vol)
    found = bachelier.get_implied_vol(True, price, forward, forward + distance, years)
    assert np.max(np.abs(found / vol - 1)) < 2e-14


def test_normal_implied_vol_at_the_payoff_is_refused():
    with pytest.raises(NoArbitrageError, match="row 0"):
        bachelier.get_implied_vol(True, 2.0, 3.0, 1.0, 1.0)
