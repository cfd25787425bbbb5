"""SVI and SABR: published smiles, arbitrage found where it is, forms that round-trip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from reference_values import load

from onchain_exec.errors import InputError, NoArbitrageError
from onchain_exec.pricing.options import black76
from onchain_exec.pricing.smiles.sabr import Sabr
from onchain_exec.pricing.smiles.svi import JumpWings, Svi

PUBLISHED = load("svi")
VOGT = Svi(**{name: PUBLISHED["vogt_raw"][name] for name in ("a", "b", "rho", "m", "sigma")})
SABR = load("sabr")


def test_svi_variance_is_the_published_one():
    for point in PUBLISHED["point_values"]:
        if "w" in point:
            assert VOGT.get_variance(point["k"]) == pytest.approx(point["w"], abs=1e-10)
        if "iv" in point:
            assert VOGT.get_vol(point["k"], 1.0) == pytest.approx(point["iv"], abs=1e-9)
    raw = PUBLISHED["quantlib"]
    smile = Svi(raw["a"], raw["b"], raw["rho"], raw["m"], raw["sigma"])
    assert smile.get_variance(raw["m"]) == pytest.approx(raw["a"] + raw["b"] * raw["sigma"], rel=1e-12)


def test_svi_forms_are_the_published_ones():
    wings, published = VOGT.to_jump_wings(1.0), PUBLISHED["vogt_jw"]
    for name in ("v", "psi", "p", "c", "v_tilde"):
        assert getattr(wings, name) == pytest.approx(published[name], abs=published["tol"])
    natural = Svi.from_natural(**PUBLISHED["vogt_natural"])
    assert natural.get_variance([-1, 0, 1]) == pytest.approx(VOGT.get_variance([-1, 0, 1]), rel=1e-12)


def test_svi_butterfly_is_found_and_repaired_as_published():
    lowest, k = VOGT.find_butterfly()
    assert lowest == pytest.approx(PUBLISHED["butterfly"]["g_min"], abs=1e-6)
    assert k == pytest.approx(PUBLISHED["butterfly"]["k_at_min"], abs=1e-5)
    assert not VOGT.is_butterfly_free()
    repaired = VOGT.to_jump_wings(1.0).repair()
    for name in ("c", "v_tilde"):
        assert getattr(repaired, name) == pytest.approx(PUBLISHED["repair_guaranteed"][name], abs=1e-6)
    assert repaired.to_svi(1.0).is_butterfly_free()


SMILES = st.builds(
    lambda floor, b, rho, m, sigma: Svi(floor - b * sigma * np.sqrt(1 - rho * rho), b, rho, m, sigma),
    st.floats(1e-3, 1),
    st.floats(0.01, 1),
    st.floats(-0.9, 0.9),
    st.floats(-0.5, 0.5),
    st.floats(0.02, 1),
)


@given(SMILES, st.floats(0.02, 3))
def test_svi_jump_wings_and_back_is_the_same_smile(smile, years):
    wings = smile.to_jump_wings(years)
    assume(wings.v > 1.001 * wings.v_tilde)  # else the least variance says nothing of the curvature
    again = wings.to_svi(years)
    k = np.linspace(-2, 2, 41)
    assert again.get_variance(k) == pytest.approx(smile.get_variance(k), rel=1e-6)


@given(SMILES)
def test_svi_is_butterfly_free_exactly_where_prices_bend_up(smile):
    """Against prices alone: the second difference of calls over strikes is the density."""
    lowest, at = smile.find_butterfly()
    assume(abs(lowest) > 1e-3 and abs(at) < 3)
    forward_strike = np.exp(at) * (1 + np.array([-1, 0, 1]) * 1e-4)
    price = black76.get_price(True, 1.0, forward_strike, 1.0, smile.get_vol(np.log(forward_strike), 1.0))
    bend = price[0] - 2 * price[1] + price[2]
    assume(abs(bend) > 1e-14)
    assert (bend > 0) == (lowest > 0)


def test_svi_with_negative_variance_or_impossible_wings_is_refused():
    with pytest.raises(NoArbitrageError, match="lowest variance"):
        Svi(-0.1, 0.1, 0.0, 0.0, 0.1)
    with pytest.raises(NoArbitrageError, match="beta"):
        JumpWings(0.04, 2.0, 0.5, 0.5, 0.01).to_svi(1.0)


def test_sabr_vol_is_the_published_one():
    hagan = SABR["hagan"]
    model = Sabr(hagan["alpha"], hagan["beta"], hagan["nu"], hagan["rho"])
    for row in hagan["rows"]:
        assert model.get_vol(hagan["F"], row["K"], hagan["T"]) == pytest.approx(row["vol"], abs=hagan["tol"])


@pytest.mark.parametrize("row", SABR["lefloch_kennedy_table3"]["rows"], ids=lambda row: str(row[0]))
def test_sabr_fit_gives_the_parameters_back(row):
    years, forward, *parameters = row
    model = Sabr(*parameters)
    strikes = forward * np.array([0.95, 1, 1.05])
    fitted = Sabr.fit(forward, strikes, years, model.get_vol(forward, strikes, years), model.beta)
    for name in ("alpha", "nu", "rho"):
        assert getattr(fitted, name) == pytest.approx(getattr(model, name), abs=1e-9)


def test_sabr_out_of_range_is_refused():
    with pytest.raises(InputError, match="nu=-1"):
        Sabr(0.3, 0.5, -1.0, 0.0)
    with pytest.raises(InputError, match="2 strikes"):
        Sabr.fit(100.0, [90.0, 100.0], 1.0, [0.5, 0.5])
