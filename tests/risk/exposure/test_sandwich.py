"""The best sandwich: laws that hold whatever the pools."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandwich_pools import (
    E18,
    A,
    B,
    C,
    get_front_run_in_closed_form,
    get_gross,
    make_curve,
    make_pair,
    make_sandwiches,
    route,
    routes,
)

from onchain_exec.core import Exact
from onchain_exec.errors import InputError
from onchain_exec.risk.exposure import Attacker, get_exposure
from onchain_exec.risk.exposure.victim import Victim
from onchain_exec.routing import GasModel, Route
from onchain_exec.venues.curve import CurveStablePool, StableFlavour
from onchain_exec.venues.vaults import Erc4626Pool

PAIR = make_pair(0, (A, B), (10**24, 2 * 10**24))
CURVE = make_curve(1, (A, B), 10**23)
GAS = GasModel(10**9, 5.0)
slippages = st.integers(1, 2_000)
some = settings(max_examples=settings.default.max_examples // 3)


def get_slack(found: Route, slippage_bps: int) -> int:
    return found.amount_out * slippage_bps // 10_000


@some
@given(routes())
def test_find_under_the_exact_bound_takes_no_more_than_the_rounding(found: Route) -> None:
    assert make_sandwiches(found).find(0).gross == 0
    one_unit = make_sandwiches(found).find(1)
    assert one_unit.victim_loss <= 1
    dearest = max(target.value for target in Victim(found).targets)
    assert one_unit.gross <= 20 * max(1, dearest)


@some
@given(routes(), slippages, st.lists(st.floats(0, 1), min_size=2, max_size=2), st.floats(0, 1))
def test_find_is_never_below_an_attack_found_at_random(
    found: Route, slippage_bps: int, shares: list[float], scale: float
) -> None:
    slack = get_slack(found, slippage_bps)
    best = make_sandwiches(found).find(slack)
    targets = Victim(found).targets
    most = max((run.amount_in for run in best.front_runs), default=found.amount_in)
    tried = tuple(int(most * 3 * scale * share) for share, _ in zip(shares, targets, strict=False))
    gross = get_gross(found, tried, slack)
    assert gross is None or gross <= best.gross * 1.0001 + 10


@some
@given(routes(), slippages, slippages)
def test_find_under_a_wider_bound_takes_no_less(found: Route, one_bps: int, other_bps: int) -> None:
    sandwiches = make_sandwiches(found)
    tight, wide = (sandwiches.find(get_slack(found, bps)) for bps in sorted((one_bps, other_bps)))
    assert tight.gross <= wide.gross * 1.0001 + 10


@some
@given(st.integers(10**11, 10**13), st.integers(10**8, 10**10), slippages)
def test_find_where_a_unit_bought_with_is_worth_a_billion_takes_no_less_under_a_wider_bound(
    reserve: int, amount: int, slippage_bps: int
) -> None:
    """One unit more or less in moves the loss by far more than what exact integers add to it."""
    found = route((make_curve(1, (A, B), 10**15), make_pair(2, (A, B), (reserve, reserve * 10**9))), amount)
    slack = get_slack(found, slippage_bps)
    sandwiches = make_sandwiches(found)
    assert sandwiches.find(slack * 99 // 100).gross <= sandwiches.find(slack).gross * 1.0001 + 10


@some
@given(routes(), slippages)
def test_find_keeps_to_the_bound_and_tells_what_the_pools_do(found: Route, slippage_bps: int) -> None:
    slack, victim = get_slack(found, slippage_bps), Victim(found)
    sandwich = make_sandwiches(found).find(slack)
    assert 0 <= sandwich.victim_loss <= slack
    runs = {(run.pool_key, run.token_in): run.amount_in for run in sandwich.front_runs}
    amounts = tuple(runs.get((target.pool.key, target.token_in), 0) for target in victim.targets)
    gross = get_gross(found, amounts, slack)
    assert gross is not None
    assert gross <= sandwich.gross < gross + 1


@some
@given(st.integers(10**20, 10**23), st.integers(1, 300))
def test_find_on_one_pair_front_runs_what_the_closed_form_says(amount: int, slippage_bps: int) -> None:
    found = route((PAIR,), amount)
    amount_out_min = found.amount_out - get_slack(found, slippage_bps)
    sandwich = make_sandwiches(found).find(found.amount_out - amount_out_min)
    expected = get_front_run_in_closed_form(PAIR, amount, amount_out_min)
    for run in sandwich.front_runs:  # none where the fee costs more than the bound allows
        assert run.amount_in == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("capital", [10**15, 10**19, 10**21])
def test_find_with_little_capital_stays_within_it_and_gains_in_proportion(capital: int) -> None:
    found = route((PAIR, CURVE), 20_000 * E18)
    slack = get_slack(found, 300)
    free = make_sandwiches(found).find(slack)
    poor = make_sandwiches(found, Attacker(capital=capital)).find(slack)
    assert poor.capital <= capital + 2
    assert poor.gross <= free.gross
    assert poor.gross >= free.gross * min(1, capital / free.capital) * 0.99


def test_find_with_dear_gas_leaves_out_the_pool_that_does_not_earn_it() -> None:
    found = route((PAIR, make_pair(4, (A, B), (5 * 10**23, 10**24))), 40_000 * E18)
    slack = get_slack(found, 300)
    free = make_sandwiches(found).find(slack)
    assert len(free.front_runs) == 2
    gas = GasModel(1, min(run.gain for run in free.front_runs) / 60_000)  # about what a pool's swaps take
    dear = make_sandwiches(found, Attacker(gas)).find(slack)
    assert len(dear.front_runs) == 1
    assert dear.gross < free.gross


def test_find_charges_the_bribe_and_the_capital() -> None:
    found = route((PAIR,), 40_000 * E18)
    slack = get_slack(found, 300)
    free = make_sandwiches(found).find(slack)
    bribing = make_sandwiches(found, Attacker(bribe_bps=2_500)).find(slack)
    assert (bribing.gross, bribing.bribe) == (free.gross, free.gross // 4)
    paying = make_sandwiches(found, Attacker(capital_cost_bps=9)).find(slack)
    assert paying.capital_cost == paying.capital * 9 // 10_000
    assert paying.net < free.net


@some
@given(routes(), st.integers(0, 10**7))
def test_get_exposure_under_its_safe_bound_lays_nothing_open_and_a_little_wider_does(
    found: Route, wei_worth: int
) -> None:
    attacker = Attacker(GasModel(10**9, float(wei_worth)))
    safe = get_exposure(found, 0, attacker).safe_bound
    assert safe <= found.amount_out
    assert not get_exposure(found, safe, attacker).sandwich.pays
    rounding = 10**6  # of 10**20 and more: what units take where gas is free
    slack = (found.amount_out - safe) * 103 // 100 + rounding
    if slack < found.amount_out:
        assert make_sandwiches(found, attacker).find(slack).pays


@some
@given(st.integers(10**20, 10**22), st.integers(10, 500))
def test_find_of_an_exact_output_makes_the_order_pay_up_to_its_bound(amount: int, slippage_bps: int) -> None:
    found = route(
        (make_pair(2, (A, C), (10**23, 10**23), 100), make_curve(3, (B, C), 10**23, 100)), amount, Exact.OUT
    )
    slack = found.amount_in * slippage_bps // 10_000
    exposure = get_exposure(found, found.amount_in + slack, Attacker())
    assert exposure.priced == A
    assert exposure.slack == slack
    assert 0 < exposure.sandwich.victim_loss <= slack
    assert exposure.at_stake == exposure.sandwich.victim_loss
    assert exposure.safe_bound >= found.amount_in


def test_find_on_a_stable_pool_is_what_a_fine_scan_finds() -> None:
    pool = CurveStablePool(
        A.address, (A, B), (10**24, 9 * 10**23), (E18, E18), 2_000, 4_000_000, 5 * 10**9, 0, StableFlavour.NG
    )
    found = route((pool,), 50_000 * E18)
    slack = get_slack(found, 20)
    best = make_sandwiches(found).find(slack)
    scanned = [get_gross(found, (10_000 * E18 * step,), slack) or 0 for step in range(1, 100)]
    assert best.gross > 0
    assert max(scanned) <= best.gross * 1.0001


def test_find_passes_over_vaults_whose_rate_nobody_moves() -> None:
    vault = Erc4626Pool(A, B, 11 * 10**23, 10**24)
    found = route((vault,), 10**20)
    assert not make_sandwiches(found).find(found.amount_out // 2).front_runs


@pytest.mark.parametrize(
    "attacker", [{"bribe_bps": -1}, {"bribe_bps": 10_001}, {"capital_cost_bps": -1}, {"capital": -1}]
)
def test_attacker_of_impossible_costs_is_refused(attacker: dict[str, int]) -> None:
    with pytest.raises(InputError):
        replace(Attacker(), **attacker)
