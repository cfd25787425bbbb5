"""Surfaces without arbitrage, whatever they were fitted to; checked on prices and by the density alone."""

from __future__ import annotations

import numpy as np
import pytest

from onchain_exec.errors import InputError, NoArbitrageError
from onchain_exec.pricing.options import black76
from onchain_exec.pricing.smiles.fit import Smile, fit_surface
from onchain_exec.pricing.smiles.ssvi import Slice, Surface, get_variance

K = np.linspace(-2.5, 2.5, 101)


def draw_smiles(rng: np.random.Generator, noise: float, expiries: int = 6) -> list[Smile]:
    """A power-law SSVI surface (free of arbitrage) at 15 strikes an expiry, and noise on it."""
    years = np.cumsum(rng.uniform(0.02, 0.3, expiries))
    vol, rho, eta, gamma = rng.uniform([0.2, -0.7, 0.2, 0.2], [1.5, 0.5, 1.2, 0.5])
    smiles = []
    for t in years.tolist():
        theta = vol**2 * t
        psi = min(eta * theta ** (1 - gamma), 3.9 / (1 + abs(rho)), (3.9 * theta / (1 + abs(rho))) ** 0.5)
        k = np.linspace(-2, 2, 15) * theta**0.5
        variance = get_variance(k, theta, psi * (1 - rho), psi * (1 + rho))
        smiles.append(Smile(t, k, np.sqrt(variance / t) * np.exp(noise * rng.normal(size=15))))
    return smiles


def count_arbitrages(surface: Surface) -> int:
    """Count the points of a grid, over and between and beyond the expiries, with a butterfly or calendar."""
    times = np.concatenate([np.linspace(0.3, 1, 4) * surface.years[0], np.linspace(*surface.years[::5], 9)])
    slices = [surface.get_slice(float(t)) for t in (*times, 1.5 * surface.years[-1])]
    butterflies = sum(int((one.to_svi().get_density_factor(K) < -1e-9).sum()) for one in slices)
    variances = np.array([one.get_variance(K) for one in slices])
    return butterflies + int((np.diff(variances, axis=0) < -1e-12).sum())


@pytest.mark.parametrize(
    "surfaces", [60, pytest.param(10_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_fit_to_noise_holds_no_arbitrage(surfaces):
    rng = np.random.default_rng(5)
    for _ in range(surfaces):
        surface = fit_surface(draw_smiles(rng, rng.choice([0.0, 0.02, 0.2, 0.8])))
        assert count_arbitrages(surface) == 0


def test_fit_to_a_surface_gives_it_back():
    rng = np.random.default_rng(6)
    for _ in range(20):
        smiles = draw_smiles(rng, 0.0)
        surface = fit_surface(smiles[::-1])
        for smile in smiles:
            assert surface.get_vol(smile.k, smile.years) == pytest.approx(np.asarray(smile.vols), rel=1e-6)


def test_fit_to_noise_is_no_farther_from_the_quotes_than_the_truth():
    rng = np.random.default_rng(7)
    for _ in range(20):
        state = rng.bit_generator.state
        exact = draw_smiles(rng, 0.0)
        rng.bit_generator.state = state
        noisy = draw_smiles(rng, 0.02)
        surface = fit_surface(noisy)
        for true, quoted in zip(exact[:1], noisy[:1], strict=True):  # later ones are bound by the first
            miss = np.linalg.norm(surface.get_vol(quoted.k, quoted.years) - quoted.vols)
            assert miss <= np.linalg.norm(np.asarray(true.vols) - quoted.vols) * (1 + 1e-6)


def test_weights_move_the_fit_towards_their_quotes():
    rng = np.random.default_rng(8)
    (smile,) = draw_smiles(rng, 0.3, expiries=1)
    weights = np.where(np.arange(15) == 3, 1e4, 1.0)
    missed = []
    for one in (smile, Smile(smile.years, smile.k, smile.vols, weights)):
        missed.append(abs(fit_surface([one]).get_vol(smile.k, smile.years) - smile.vols)[3])
    assert missed[1] < 0.1 * missed[0]


def test_calls_of_a_surface_rise_with_time_and_bend_up_with_strike():
    surface = fit_surface(draw_smiles(np.random.default_rng(9), 0.4))
    strikes = np.linspace(0.2, 5, 400)
    years = np.linspace(0.5 * surface.years[0], 1.2 * surface.years[-1], 30)
    calls = np.array(
        [black76.get_price(True, 1.0, strikes, t, surface.get_vol(np.log(strikes), t)) for t in years]
    )
    assert (np.diff(calls, axis=0) > -1e-14).all()
    assert (np.diff(calls, 2, axis=1) > -1e-14).all()


def test_slice_is_the_svi_it_says():
    one = Slice(0.09, 0.5, 0.2)
    assert one.to_svi().get_variance(K) == pytest.approx(one.get_variance(K), rel=1e-12)
    assert one.get_variance(0.0) == pytest.approx(0.09)
    assert np.diff(one.get_variance([-1e6, -1e6 + 1]))[0] == pytest.approx(-0.25, rel=1e-6)
    assert np.diff(one.get_variance([1e6, 1e6 + 1]))[0] == pytest.approx(0.1, rel=1e-6)


def test_surface_with_arbitrage_is_refused_with_its_expiry():
    with pytest.raises(NoArbitrageError, match="steeper wing"):
        Slice(0.01, 0.5, 0.5)
    with pytest.raises(NoArbitrageError, match="expiry 1"):
        Surface((0.5, 1.0), (Slice(0.09, 0.3, 0.3), Slice(0.08, 0.3, 0.3)))
    with pytest.raises(InputError, match="expiries"):
        Surface((1.0, 0.5), (Slice(0.09, 0.3, 0.3), Slice(0.1, 0.3, 0.3)))


def test_fit_of_too_little_is_refused():
    with pytest.raises(InputError, match="2 strikes"):
        fit_surface([Smile(0.5, [0.0, 0.1], [0.5, 0.5])])
    with pytest.raises(InputError, match="vols = 0"):
        fit_surface([Smile(0.5, [-0.1, 0.0, 0.1], [0.5, 0.0, 0.5])])
    with pytest.raises(InputError, match="expiries"):
        fit_surface([])
