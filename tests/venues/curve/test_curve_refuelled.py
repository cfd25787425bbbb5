"""Twocrypto pools that take donations, along exchanges: amounts and the whole state, as the contracts have
them."""

from __future__ import annotations

import json
from dataclasses import replace

import pool_laws
import pytest
from curve_answers import GOLDEN, POOL, answer_of, crypto_answers, make_tokens, number
from curve_answers import peg_answers as common_peg_answers
from hypothesis import given
from hypothesis import strategies as st
from scripted_contract import perform_scripted

from onchain_exec.core import Exact
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.curve import CurveCryptoPool, read_curve_pool
from onchain_exec.venues.curve.crypto.refuelled_curve import compute_d, compute_y, get_gradient

SEQUENCES = json.loads((GOLDEN / "curve_refuelled_sequences.json").read_text())["pools"]
shares = st.integers(1, 5 * 10**8)  # of a balance, in 1e-9
amps = st.integers(20_000, 10**8)
balances = st.tuples(st.integers(10**15, 10**30), st.integers(10**15, 10**30))


def make_pool(entry) -> CurveCryptoPool:
    return CurveCryptoPool.from_json({"address": POOL, **entry["state"]}, make_tokens(entry["decimals"]))


def state_of(pool):
    state = pool.to_json()
    state |= state["peg"]
    names = ("balances", "price_scale_wad", "d", "price_oracle_wad", "last_prices_wad", "virtual_price_wad")
    return {
        name: state[name]
        for name in (*names, "xcp_profit_wad", "lp_supply", "donation_shares", "released_at")
    }


pools = st.builds(make_pool, st.sampled_from(SEQUENCES))


@pytest.mark.parametrize("entry", SEQUENCES)
def test_swap_after_swap_equals_the_contract(entry):
    pool = make_pool(entry)
    for at, side_in, side_out, amount, answer, state in entry["swaps"]:
        sides, pool = (pool.tokens[side_in], pool.tokens[side_out]), pool.at(int(at))
        if state is None:
            with pytest.raises(PoolRevertError) as refused:
                pool.swap(*sides, int(amount), Exact.IN)
            assert refused.value.reason == answer["revert"]
            continue
        assert str(pool.quote(*sides, int(amount), Exact.IN)) == answer
        done = pool.swap(*sides, int(amount), Exact.IN)
        assert str(done.amount_out) == answer
        pool = done.pool_after
        assert state_of(pool) == state


def test_sequences_burn_donations():
    supplies = [
        [swap[5]["lp_supply"] for swap in entry["swaps"] if swap[5] is not None] for entry in SEQUENCES
    ]
    assert sum(len(set(found)) - 1 for found in supplies) > 20


@pytest.mark.parametrize("entry", SEQUENCES)
def test_read_finds_donations_and_what_moves_the_price_scale(entry):
    pool = make_pool(entry)
    peg = pool.peg
    facts = {
        "donation_shares": peg.donation_shares,
        "last_donation_release_ts": peg.released_at,
        "donation_duration": peg.release_s,
        "donation_protection_expiry_ts": peg.guarded_until,
        "donation_protection_period": peg.guard_s,
    }
    told = crypto_answers(pool, pool.ann) | common_peg_answers(pool)
    told |= answer_of(POOL, "version()", ["string"])("v2.1.0d")
    for name, value in facts.items():
        told |= number(f"{name}()", value)
    found = perform_scripted(read_curve_pool(POOL), told, timestamp=peg.traded_at)
    assert found.to_json() | {"receiver": ""} == pool.to_json() | {"receiver": ""}


@given(st.integers(0, 10**7), st.integers(0, 2_000))
def test_released_shares_grow_with_time_and_are_held_back_while_guarded(wait, guarded_s):
    peg = replace(
        make_pool(SEQUENCES[0]).peg, donation_shares=10**18, released_at=0, release_s=10**6, guard_s=600
    )
    free = replace(peg, traded_at=wait, guarded_until=0).released_shares
    held = replace(peg, traded_at=wait, guarded_until=wait + guarded_s).released_shares
    assert free == min(10**18, 10**18 * wait // 10**6)
    assert held <= free
    assert (held == free) or guarded_s > 0
    assert held == 0 if guarded_s >= 600 else True


@pytest.mark.parametrize("entry", SEQUENCES[::3])
def test_to_json_survives_text(entry):
    pool_laws.require_json_round_trip(make_pool(entry))


@given(pools, shares, st.sampled_from(Exact))
def test_quote_is_what_swap_does(pool, share, exact):
    amount = pool.balances[0] * share // 10**9
    pool_laws.require_quote_is_swap(pool, pool.tokens, amount, exact)


@given(pools, shares)
def test_spot_price_bounds_what_a_swap_pays(pool, share):
    sides = pool.tokens
    amount = max(pool.balances[0] * share // 10**9, 1)
    paid = pool_laws.outcome(lambda: pool.quote(*sides, amount, Exact.IN))
    if not isinstance(paid, str):
        assert paid <= pool.spot_price(*sides) * amount + pool.balances[1] // 10**9 + 1


@given(amps, balances)
def test_compute_y_gives_the_balance_back(ann, scaled):
    d = pool_laws.outcome(lambda: compute_d(ann, scaled))
    y = d if isinstance(d, str) else pool_laws.outcome(lambda: compute_y(ann, scaled[0], d))
    if not isinstance(y, str):
        gradient = get_gradient(ann, scaled, d)
        slack = 3 * (gradient[0] / gradient[1] + gradient[1] / gradient[0] + 1)
        assert abs(y - scaled[1]) <= slack + scaled[1] // 10**9


def test_an_empty_side_is_refused():
    for act in (lambda: compute_y(10**6, 0, WAD), lambda: compute_d(10**6, (0, WAD))):
        with pytest.raises(PoolRevertError, match="a balance is zero"):
            act()
    with pytest.raises(PoolRevertError):
        get_gradient(10**6, (0, 1), WAD)
    assert compute_d(10**6, (0, 0)) == 0
