"""The price of delay, and the volatility that it is computed from."""

from __future__ import annotations

from math import exp, sqrt
from random import Random
from statistics import NormalDist, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.errors import InputError
from onchain_exec.risk.exposure import (
    Lateness,
    Volatility,
    combine,
    estimate_volatility,
    estimate_volatility_of_means,
)

AMOUNT = 10**24
deviations = st.floats(1e-6, 1e-2)


def walk(rng: Random, steps: int, deviation: float, drift: float = 0.0) -> list[float]:
    """Return logarithms of prices."""
    found = [0.0]
    for _ in range(steps):
        found.append(found[-1] + rng.gauss(drift, deviation))
    return found


@given(deviations, st.floats(0.001, 0.5), st.integers(1, 100))
def test_get_slack_is_passed_with_the_chance_it_was_asked_for(
    deviation: float, chance: float, blocks: int
) -> None:
    late = Lateness(AMOUNT, Volatility(deviation))
    assert late.get_passing_chance(late.get_slack(chance, blocks), blocks) == pytest.approx(chance, abs=1e-9)


@given(deviations, st.integers(1, 50), st.integers(1, 50))
def test_get_slack_grows_with_the_root_of_the_blocks(deviation: float, few: int, many: int) -> None:
    late = Lateness(AMOUNT, Volatility(deviation))
    ratio = late.get_slack(0.01, many) / late.get_slack(0.01, few)
    assert ratio == pytest.approx(sqrt(many / few), rel=1e-9)


def test_get_adverse_is_the_mean_of_moves_against_the_order() -> None:
    rng, volatility = Random(1), Volatility(0.002, drift_per_block=0.0005)
    moves = [max(0.0, rng.gauss(4 * 0.0005, 2 * 0.002)) for _ in range(40_000)]
    assert Lateness(AMOUNT, volatility).get_adverse(4) == pytest.approx(AMOUNT * fmean(moves), rel=0.03)


@pytest.mark.parametrize(("drift", "sign"), [(0.001, 1), (-0.001, -1)])
def test_get_markout_is_what_the_drift_costs(drift: float, sign: int) -> None:
    markout = Lateness(AMOUNT, Volatility(0.01, drift)).get_markout(10)
    assert markout * sign > 0
    assert markout == pytest.approx(AMOUNT * (1 - exp(-10 * drift)), rel=1e-9)


def test_lateness_of_a_price_that_stands_still_costs_nothing() -> None:
    late = Lateness(AMOUNT, Volatility(0.0))
    assert (late.get_markout(9), late.get_adverse(9), late.get_slack(0.01, 9)) == (0, 0, 0)
    assert late.get_passing_chance(0, 9) == 0
    assert Lateness(0, Volatility(0.0, 0.1)).get_passing_chance(0, 1) == 1
    assert Lateness(AMOUNT, Volatility(0.0, 0.1)).get_adverse(1) == pytest.approx(AMOUNT / 10)


def test_estimate_volatility_finds_that_of_a_random_walk_seen_now_and_then() -> None:
    rng = Random(2)
    logs = walk(rng, 20_000, 0.001, drift=0.00001)
    seen = sorted(rng.sample(range(len(logs)), 4_000))
    found = estimate_volatility([(block, exp(logs[block])) for block in seen])
    assert found.per_block == pytest.approx(0.001, rel=0.05)
    assert found.drift_per_block == pytest.approx((logs[seen[-1]] - logs[seen[0]]) / found.blocks)
    assert found.blocks == seen[-1] - seen[0]


@pytest.mark.parametrize("blocks_each", [1, 2, 5, 60])
def test_estimate_volatility_of_means_finds_that_of_what_they_are_of(blocks_each: int) -> None:
    logs = walk(Random(blocks_each), 2_000 * blocks_each, 0.0005)
    ticks = [log / 9.9995e-5 for log in logs]
    means = [
        fmean(ticks[begin : begin + blocks_each]) for begin in range(0, len(ticks) - blocks_each, blocks_each)
    ]
    found = estimate_volatility_of_means(means, blocks_each, 0)
    assert found.per_block == pytest.approx(0.0005, rel=0.06)


def test_estimate_volatility_of_a_price_that_did_not_move_leaves_what_the_fee_hides() -> None:
    still = estimate_volatility([(0, 2.0), (300, 2.0)], fee_pips=3_000)
    assert still.per_block == pytest.approx(0.003 / sqrt(3 * 300))
    assert estimate_volatility_of_means([7.0] * 30, 10, 3_000).per_block == pytest.approx(still.per_block)


def test_combine_adds_variances_and_drifts() -> None:
    found = combine([Volatility(0.003, 0.1, 40), Volatility(0.004, -0.3, 30)])
    assert (found.per_block, found.drift_per_block, found.blocks) == pytest.approx((0.005, -0.2, 30))


@pytest.mark.parametrize(
    "prices", [[], [(1, 1.0)], [(1, 1.0), (2, 0.0)], [(2, 1.0), (2, 1.0)], [(3, 1.0), (2, 1.0)]]
)
def test_estimate_volatility_of_no_history_is_refused(prices: list[tuple[int, float]]) -> None:
    with pytest.raises(InputError):
        estimate_volatility(prices)


@pytest.mark.parametrize(("means", "blocks_each"), [([1.0], 5), ([1.0, 2.0], 0)])
def test_estimate_volatility_of_no_means_is_refused(means: list[float], blocks_each: int) -> None:
    with pytest.raises(InputError):
        estimate_volatility_of_means(means, blocks_each, 0)


def test_get_slack_of_one_in_a_hundred_is_more_than_two_deviations() -> None:
    late = Lateness(AMOUNT, Volatility(0.001))
    assert late.get_slack(0.01, 1) == pytest.approx(AMOUNT * 0.001 * NormalDist().inv_cdf(0.99))
