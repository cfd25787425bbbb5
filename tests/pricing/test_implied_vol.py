"""The volatility that gives the price: to the last digits, everywhere a price exists, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_values import load

from onchain_exec.errors import InputError, MissingToolError, NoArbitrageError
from onchain_exec.pricing.options import bachelier, black76, compiled, implied_vol
from onchain_exec.pricing.options.implied_vol import get_bounds, has_implied_vol

with_numba = pytest.mark.skipif(find_spec("numba") is None, reason="the numba extra is not installed")
both = pytest.mark.parametrize(
    "get_implied_vol",
    [implied_vol.get_implied_vol, pytest.param(compiled.get_implied_vol, marks=with_numba)],
    ids=["arrays", "compiled"],
)
Invert = Callable[..., np.ndarray]
FAR = [np.array(column) for column in zip(*load("options_far_from_the_money")["rows"], strict=True)]


@both
def test_implied_vol_of_exact_prices_is_exact_to_36_deviations(get_implied_vol: Invert):
    is_call, strike, years, vol, price = FAR
    assert np.max(np.abs(get_implied_vol(is_call, price, 100.0, strike, years) / vol - 1)) < 1e-13


@both
def test_implied_vol_in_the_money_is_what_the_payoff_leaves(get_implied_vol: Invert):
    rng = np.random.default_rng(1)
    vol, years, z = rng.uniform(0.1, 1.5, 20_000), rng.uniform(0.01, 2, 20_000), rng.uniform(0, 3, 20_000)
    strike = 100 * np.exp(-z * vol * np.sqrt(years))
    price = black76.get_price(True, 100.0, strike, years, vol, 0.05)
    vega = black76.get_greeks(True, 100.0, strike, years, vol, 0.05).vega
    error = np.abs(get_implied_vol(True, price, 100.0, strike, years, 0.05) - vol)
    assert np.max(error * vega) < 1e-12  # the price of 100 has that many digits, no more


@both
@given(
    st.booleans(),
    st.floats(1e-6, 1e12),
    st.floats(1e-6, 1e12),
    st.floats(1e-6, 50),
    st.floats(1e-12, 1, exclude_max=True),
)
def test_implied_vol_of_any_price_between_its_bounds_gives_the_price_back(
    get_implied_vol: Invert, is_call, forward, strike, years, share
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


@both
def test_implied_vol_rises_with_the_price(get_implied_vol: Invert):
    price = np.linspace(0, 100, 100_002)[1:-1]
    vol = get_implied_vol(True, price, 100.0, 120.0, 1.0)
    assert (np.diff(vol) > 0).all()


@pytest.mark.parametrize(
    ("is_call", "price", "strike"),
    [(True, 10.0, 90.0), (True, 100.0, 90.0), (False, 0.0, 90.0), (False, 90.0, 90.0), (True, -1.0, 120.0)],
)
@both
def test_implied_vol_at_or_outside_the_bounds_is_refused(get_implied_vol: Invert, is_call, price, strike):
    assert not has_implied_vol(is_call, price, 100.0, strike)
    with pytest.raises(NoArbitrageError, match="in row 1") as refused:
        get_implied_vol(is_call, [20.0, price], 100.0, strike, 1.0)
    assert "above" in refused.value.needed


@both
def test_implied_vol_of_no_number_is_refused(get_implied_vol: Invert):
    with pytest.raises(InputError, match="price = nan in row 0"):
        get_implied_vol(True, np.nan, 100.0, 100.0, 1.0)


@with_numba
def test_implied_vol_compiled_is_that_of_arrays_on_random_options():
    rng = np.random.default_rng(7)
    vol, years, z = rng.uniform(0.01, 4, 50_000), rng.uniform(1e-3, 5, 50_000), rng.normal(0, 4, 50_000)
    strike = 100 * np.exp(z * vol * np.sqrt(years))
    price = black76.get_price(z > 0, 100.0, strike, years, vol)
    rows = implied_vol.has_implied_vol(z > 0, price, 100.0, strike)
    asked = (z > 0)[rows], price[rows], 100.0, strike[rows], years[rows]
    one, other = implied_vol.get_implied_vol(*asked), compiled.get_implied_vol(*asked)
    assert rows.mean() > 0.99
    assert np.max(np.abs(one / other - 1)) < 1e-13


def test_compiled_without_numba_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(compiled, "_compile", compiled._compile.__wrapped__)
    with pytest.raises(MissingToolError, match=r"pip install 'onchain-exec\[numba\]'"):
        compiled.get_implied_vol(True, 10.0, 100.0, 100.0, 1.0)


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
