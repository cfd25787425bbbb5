"""Where Curve's arithmetic refuses, as its contracts revert: balances too far apart, or none."""

from __future__ import annotations

import pytest

from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.curve import CryptoFlavour, StableFlavour
from onchain_exec.venues.curve.crypto.arithmetic import compute_y, get_gradient
from onchain_exec.venues.curve.crypto.cubic import cbrt
from onchain_exec.venues.curve.crypto.invariant import compute_d, compute_prices
from onchain_exec.venues.curve.crypto.wad_exp import exp_of_negative
from onchain_exec.venues.curve.stable_math import compute_d as compute_stable_d
from onchain_exec.venues.curve.stable_math import compute_y as compute_stable_y

ANN_TWO, GAMMA_TWO = 400_000, 145 * 10**12
ANN_THREE, GAMMA_THREE = 1_707_629, 11_809_167_828_997
TWO, TWO_2_0, THREE, OLD = (
    CryptoFlavour.TWOCRYPTO_NG,
    CryptoFlavour.TWOCRYPTO_NG_2_0,
    CryptoFlavour.TRICRYPTO_NG,
    CryptoFlavour.TRICRYPTO,
)


@pytest.mark.parametrize(
    ("flavour", "balances", "reason"),
    [
        (TWO, [10**8, 10**8], ""),
        (TWO, [10**24, 10**9], ""),
        (TWO_2_0, [10**24, 10**20], ""),
        (THREE, [0, 0, 0], ""),
        (THREE, [10**24, 10**24, 10**20], "Unsafe values x[i]"),
    ],
)
def test_compute_d_of_balances_too_far_apart_is_refused(flavour, balances, reason):
    ann, gamma = (ANN_TWO, GAMMA_TWO) if flavour.has_two else (ANN_THREE, GAMMA_THREE)
    with pytest.raises(PoolRevertError) as refused:
        compute_d(flavour, ann, gamma, balances)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("flavour", "scaled", "d", "reason"),
    [
        (TWO, [10**24, 10**24], 0, ""),
        (TWO, [0, 1], 2 * 10**24, ""),
        (TWO, [10**21, 1], 2 * 10**24, ""),
        (TWO_2_0, [19 * 10**21, 1], 2 * 10**24, ""),
        (THREE, [10**20, 10**24, 1], 3 * 10**24, "Unsafe values x[i]"),
        (OLD, [10**20, 10**24, 1], 3 * 10**24, ""),
    ],
)
def test_compute_y_of_a_share_out_of_bounds_is_refused(flavour, scaled, d, reason):
    ann, gamma = (ANN_TWO, GAMMA_TWO) if flavour.has_two else (ANN_THREE, GAMMA_THREE)
    with pytest.raises(PoolRevertError) as refused:
        compute_y(flavour, ann, gamma, scaled, d, len(scaled) - 1)
    assert refused.value.reason == reason


def test_prices_and_gradient_of_an_empty_pool_are_refused():
    with pytest.raises(PoolRevertError):
        compute_prices(ANN_TWO, GAMMA_TWO, [WAD, WAD], 0)
    with pytest.raises(PoolRevertError):
        get_gradient(ANN_TWO, GAMMA_TWO, [0, WAD], WAD)
    with pytest.raises(PoolRevertError):
        cbrt(0)


def test_compute_d_of_a_stable_pool_with_an_empty_side_is_refused():
    assert compute_stable_d([0, 0], 100, StableFlavour.NG) == 0
    with pytest.raises(PoolRevertError, match="a balance is zero"):
        compute_stable_d([0, WAD], 100, StableFlavour.NG)
    for flavour in StableFlavour:
        with pytest.raises(PoolRevertError, match="too far apart"):
            compute_stable_d([1, 10**40], 100, flavour)
        with pytest.raises(PoolRevertError, match="too far apart"):
            compute_stable_y([1, 0], 1, 10**39, 100, flavour)


def test_exp_of_negative_falls_from_one_to_nothing():
    points = [exp_of_negative(-x * WAD // 10) for x in range(500)]
    assert points == sorted(points, reverse=True)
    assert (points[0], points[10], points[-1]) == (WAD, 367879441171442321, 0)
