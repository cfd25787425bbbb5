"""Closed forms: published values, QuantLib at random, and each Greek as the slope it claims to be."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import QuantLib
from reference_values import load

from onchain_exec.errors import InputError
from onchain_exec.pricing.options import bachelier, black76, black_scholes, inverse
from onchain_exec.pricing.options.black_scholes import Carry

HAUG = load("options_haug_1998")
HULL = {row["ex"]: row for row in load("options_hull")["rows"]}


def haug_inputs(row):
    carry = Carry(row["r"], row["q"])
    return (row["type"] == "call", row["S"], row["K"], row["T"], row["vol"], carry)


@pytest.mark.parametrize("row", HAUG["prices"], ids=lambda row: f"{row['type']}-{row['K']}-{row['T']}")
def test_black_scholes_price_is_haugs(row):
    assert black_scholes.get_price(*haug_inputs(row)) == pytest.approx(row["price"], abs=row["tol"])


@pytest.mark.parametrize("row", HAUG["greeks"], ids=lambda row: f"{row['greek']}-{row['type']}")
def test_black_scholes_greek_is_haugs(row):
    greeks = black_scholes.get_greeks(*haug_inputs(row))
    found = {name: float(getattr(greeks, name)) for name in ("delta", "gamma", "vega", "theta", "rho")}
    found["elasticity"] = found["delta"] * row["S"] / float(greeks.price)
    found["theta_per_day"] = found["theta"] / 365
    found["dividend_rho"] = float(black_scholes.get_cross_greeks(*haug_inputs(row)).dividend_rho)
    assert found[row["greek"]] == pytest.approx(row["value"], abs=row["tol"])


@pytest.mark.parametrize("row", load("options_black76")["rows"], ids=lambda row: f"{row['type']}-{row['K']}")
def test_black76_price_is_quantlibs(row):
    price = black76.get_price(
        row["type"] == "call", row["F"], row["K"], 1.0, row["stdDev"], -math.log(row["df"])
    )
    assert price == pytest.approx(row["price"], abs=row["tol"])


def test_prices_are_hulls_as_printed():
    row = HULL["BSM example"]
    for side in ("call", "put"):
        price = black_scholes.get_price(
            side == "call", row["S"], row["K"], row["T"], row["vol"], Carry(row["r"])
        )
        assert round(float(price), 2) == row[side]
    row = HULL["Greeks chapter running example"]
    greeks = black_scholes.get_greeks(True, row["S"], row["K"], row["T"], row["vol"], Carry(row["r"]))
    for name, digits in (("delta", 3), ("gamma", 3), ("vega", 1), ("theta", 2), ("rho", 2)):
        assert round(float(getattr(greeks, name)), digits) == row[name]
    row = HULL["Black-76 crude oil put"]
    assert (
        round(float(black76.get_price(False, row["F"], row["K"], row["T"], row["vol"], row["r"])), 2)
        == row["put"]
    )


def draw(seed: int, rows: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    forward, vol, years = (
        10 ** rng.uniform(-2, 5, rows),
        rng.uniform(0.02, 2, rows),
        rng.uniform(0.001, 3, rows),
    )
    return {
        "is_call": rng.random(rows) < 0.5,
        "forward": forward,
        "strike": forward * np.exp(rng.uniform(-5, 5, rows) * vol * np.sqrt(years)),
        "years": years,
        "vol": vol,
    }


def test_black76_price_of_100_000_options_is_quantlibs():
    rows = draw(1, 100_000)
    kinds = {True: QuantLib.Option.Call, False: QuantLib.Option.Put}
    stdevs = rows["vol"] * np.sqrt(rows["years"])
    quantlib = [
        QuantLib.blackFormula(kinds[bool(call)], strike, forward, stdev)
        for call, strike, forward, stdev in zip(
            rows["is_call"], rows["strike"].tolist(), rows["forward"].tolist(), stdevs.tolist(), strict=True
        )
    ]
    assert (
        np.max(np.abs(black76.get_price(**rows) - quantlib) / np.maximum(rows["forward"], rows["strike"]))
        < 1e-12
    )


def test_bachelier_price_of_20_000_options_is_quantlibs():
    rng = np.random.default_rng(2)
    forward, vol, years = (
        rng.normal(0, 10, 20_000),
        10 ** rng.uniform(-3, 2, 20_000),
        rng.uniform(0.01, 3, 20_000),
    )
    stdev = vol * np.sqrt(years)
    strike = forward + rng.uniform(-4, 4, 20_000) * stdev
    quantlib = [
        QuantLib.bachelierBlackFormula(QuantLib.Option.Call, *row)
        for row in zip(strike.tolist(), forward.tolist(), stdev.tolist(), strict=True)
    ]
    assert np.max(np.abs(bachelier.get_price(True, forward, strike, years, vol) - quantlib) / stdev) < 1e-12


def test_call_less_put_is_the_forward_less_the_strike():
    rows = draw(3, 5_000) | {"rate": np.linspace(-0.1, 0.3, 5_000)}
    del rows["is_call"]
    for model, vol in ((black76, "vol"), (bachelier, "normal_vol")):
        values = {vol if name == "vol" else name: value for name, value in rows.items()}
        found = model.get_price(True, **values) - model.get_price(False, **values)
        parity = np.exp(-rows["rate"] * rows["years"]) * (rows["forward"] - rows["strike"])
        assert np.max(np.abs(found - parity) / np.maximum(rows["forward"], rows["strike"])) < 1e-13


SPOT = {"spot": 105.0, "strike": 100.0, "years": 0.7, "vol": 0.36, "rate": 0.08, "dividend": 0.03}
STEP = {"spot": 1e-3}
SLOPES = {
    "delta": ("price", "spot", 1),
    "gamma": ("delta", "spot", 1),
    "vega": ("price", "vol", 1),
    "theta": ("price", "years", -1),
    "rho": ("price", "rate", 1),
    "dividend_rho": ("price", "dividend", 1),
    "vanna": ("delta", "vol", 1),
    "volga": ("vega", "vol", 1),
    "charm": ("delta", "years", -1),
    "speed": ("gamma", "spot", 1),
    "zomma": ("gamma", "vol", 1),
    "color": ("gamma", "years", -1),
}


def get_all_greeks(is_call: bool, inputs: dict[str, float]) -> dict[str, float]:
    values = dict(inputs)
    carry = Carry(values.pop("rate"), values.pop("dividend"))
    first = black_scholes.get_greeks(is_call, **values, carry=carry)
    cross = black_scholes.get_cross_greeks(is_call, **values, carry=carry)
    return {
        f.name: float(getattr(found, f.name)) for found in (first, cross) for f in dataclasses.fields(found)
    }


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("name", SLOPES)
def test_black_scholes_greek_is_the_slope_it_says(name, is_call):
    of, by, sign = SLOPES[name]
    step = STEP.get(by, 1e-5)
    up, down = (get_all_greeks(is_call, SPOT | {by: SPOT[by] + move})[of] for move in (step, -step))
    found = get_all_greeks(is_call, SPOT)[name]
    assert found == pytest.approx(sign * (up - down) / (2 * step), rel=1e-7)


@pytest.mark.parametrize(("model", "vol"), [(black76, 0.5), (bachelier, 40.0)])
@pytest.mark.parametrize("is_call", [True, False])
def test_greek_on_a_forward_is_the_slope_it_says(model, vol, is_call):
    inputs = [105.0, 100.0, 0.7, vol, 0.08]
    greeks = model.get_greeks(is_call, *inputs)
    for name, of, at, sign in (
        ("delta", "price", 0, 1),
        ("gamma", "delta", 0, 1),
        ("theta", "price", 2, -1),
        ("vega", "price", 3, 1),
        ("rho", "price", 4, 1),
    ):
        step = 1e-6 * inputs[at] if at != 4 else 1e-6
        up, down = (
            getattr(model.get_greeks(is_call, *inputs[:at], inputs[at] + move, *inputs[at + 1 :]), of)
            for move in (step, -step)
        )
        assert float(getattr(greeks, name)) == pytest.approx(float(sign * (up - down) / (2 * step)), rel=1e-6)


def test_inverse_net_delta_keeps_the_dollar_value_of_the_holder():
    """Net coins held are the price paid (short) and the hedge: their dollar value does not move."""
    forward, step = 60_000.0, 1.0
    greeks = inverse.get_greeks(True, forward, 65_000.0, 0.25, 0.6)
    up, down = (inverse.get_greeks(True, forward + move, 65_000.0, 0.25, 0.6).price for move in (step, -step))
    slope_of_coins = (up - down) / (2 * step)
    assert float(greeks.net_delta) == pytest.approx(float(forward * slope_of_coins), rel=1e-7)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("forward", 0.0),
        ("strike", -1.0),
        ("years", -0.1),
        ("vol", math.nan),
        ("vol", math.inf),
        ("rate", math.nan),
    ],
)
def test_price_of_bad_input_names_the_value_and_its_row(name, value):
    inputs = {
        "forward": [1.0, 1.0],
        "strike": [1.0, 1.0],
        "years": [1.0, 1.0],
        "vol": [1.0, 1.0],
        "rate": [0.0, 0.0],
    }
    inputs[name] = [inputs[name][0], value]
    with pytest.raises(InputError, match=f"{name} = .* in row 1"):
        black76.get_price(True, **inputs)


def test_price_of_shapes_that_do_not_broadcast_is_refused():
    with pytest.raises(InputError, match="broadcast"):
        black76.get_price(True, [1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 0.5)


def test_prices_broadcast_and_keep_the_shape():
    strikes, years = np.linspace(80, 120, 5), np.array([[0.1], [0.5]])
    greeks = black76.get_greeks(True, 100.0, strikes, years, 0.4)
    assert {getattr(greeks, f.name).shape for f in dataclasses.fields(greeks)} == {(2, 5)}
    assert greeks.price[1, 3] == black76.get_price(True, 100.0, strikes[3], 0.5, 0.4)
