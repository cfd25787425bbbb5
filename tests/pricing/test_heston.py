"""Heston's prices: published to 50 digits, and the laws that any prices keep."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_values import load

from onchain_exec.errors import InputError
from onchain_exec.pricing.heston import Heston
from onchain_exec.pricing.options import black76
from onchain_exec.pricing.options.implied_vol import get_implied_vol

SETS = {one["name"]: one for one in load("heston")["sets"]}
VOLS = SETS.pop("Forde reference implied vols")
WINGS = {60, 140}  # expansion values there, off by up to 0.018


def make(one: dict) -> Heston:
    return Heston(one["v0"], one["kappa"], one["theta"], one["sigma"], one["rho"])


@pytest.mark.parametrize("name", SETS)
def test_price_is_the_published_one(name):
    one = SETS[name]
    spot = one["S0"] if not isinstance(one["S0"], str) else math.exp((one["q"] - one["r"]) * one["T"])
    forward = spot * math.exp((one["r"] - one["q"]) * one["T"])
    for row in one["rows"]:
        for side in {"call", "put"} & row.keys():
            price = make(one).get_price(side == "call", forward, row["K"], one["T"], one["r"])
            published = float(row[side])
            assert price == pytest.approx(published, rel=one.get("tol_rel", 0), abs=one.get("tol_abs", 0))


@pytest.mark.parametrize("number", range(4))
def test_implied_vol_is_the_published_one(number):
    years, vols = VOLS["terms"][number], VOLS["implied_vols"][number]
    rows = [(k, vol) for k, vol in zip(VOLS["strikes"], vols, strict=True) if k not in WINGS]
    strikes, published = map(np.array, zip(*rows, strict=True))
    price = make(VOLS).get_price(strikes >= 100, VOLS["F"], strikes, years)
    assert get_implied_vol(strikes >= 100, price, VOLS["F"], strikes, years) == pytest.approx(
        published, abs=1e-10
    )


@given(
    st.floats(0.005, 1),
    st.floats(0.2, 8),
    st.floats(0.005, 1),
    st.floats(0.05, 1.5),
    st.floats(-0.95, 0.95),
    st.floats(0.05, 5),
)
def test_prices_fall_and_bend_with_the_strike_and_stay_in_their_bounds(v0, kappa, theta, sigma, rho, years):
    strikes = np.linspace(20, 400, 96)
    model = Heston(v0, kappa, theta, sigma, rho)
    try:
        call, put = (model.get_price(side, 100.0, strikes, years) for side in (True, False))
    except InputError:
        assert 2 * kappa * theta < 0.1 * sigma**2
        return
    assert call - put == pytest.approx(100 - strikes, abs=1e-11)
    assert (call > np.maximum(100 - strikes, 0) - 1e-11).all()
    assert (np.diff(call) < 1e-11).all()
    assert (np.diff(call, 2) > -1e-11).all()


def test_price_with_fat_tails_is_as_exact_as_any():
    strikes = np.linspace(20, 400, 96)
    fat = Heston(v0=0.0625, kappa=4.0, theta=0.015625, sigma=1.5, rho=-0.75)  # beyond 24 deviations
    call, put = (fat.get_price(side, 100.0, strikes, 1.0) for side in (True, False))
    assert call - put == pytest.approx(100 - strikes, abs=1e-11)


def test_price_with_hardly_any_volatility_of_variance_is_blacks():
    strikes = np.linspace(60, 160, 11)
    price = Heston(0.09, 2.0, 0.09, 1e-6, 0.0).get_price(True, 100.0, strikes, 1.0, 0.03)
    assert price == pytest.approx(black76.get_price(True, 100.0, strikes, 1.0, 0.3, 0.03), abs=1e-10)


def test_parameters_out_of_range_are_refused():
    with pytest.raises(InputError, match="rho"):
        Heston(0.04, 1.0, 0.04, 0.5, 1.0)
    with pytest.raises(InputError, match="strike"):
        Heston(0.04, 1.0, 0.04, 0.5, -0.5).get_price(True, 100.0, -1.0, 1.0)
