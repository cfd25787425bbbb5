"""Balancer pools: the laws of pools, the answers of the chain, and what is refused by name."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pool_laws
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.balancer import BalancerStablePool, BalancerWeightedPool

GOLDEN = json.loads((Path(__file__).parents[2] / "golden/balancer_v2_answers.json").read_text())
KINDS = {pool.kind: pool for pool in (BalancerWeightedPool, BalancerStablePool)}
VAULT = to_address("0xBA12222222228d8Ba445958a75a0704d566BF2C8")
POOL = to_address("0x" + "ee" * 20)


def make_tokens(decimals: list[int]) -> tuple[Token, ...]:
    return tuple(
        Token(1, to_address((number + 1).to_bytes(20, "big")), f"T{number}", places)
        for number, places in enumerate(decimals)
    )


def load(entry: dict[str, Any]) -> BalancerWeightedPool | BalancerStablePool:
    state = entry["state"]
    tokens = tuple(
        Token(1, to_address(address), f"T{number}", decimals)
        for number, (address, decimals) in enumerate(zip(state["tokens"], entry["decimals"], strict=True))
    )
    return KINDS[state["kind"]].from_json(state, tokens)


amounts = st.one_of(st.integers(1, 10**4), st.integers(1, 10**30), st.just(0))
exacts = st.sampled_from(Exact)


@st.composite
def weighted_pools(draw) -> BalancerWeightedPool:
    decimals = draw(st.lists(st.sampled_from((6, 8, 18)), min_size=2, max_size=8))
    parts = [draw(st.integers(1, 30)) for _ in decimals]
    weights = [part * WAD // sum(parts) for part in parts]
    weights[0] += WAD - sum(weights)
    balances = tuple(draw(st.integers(10**6, 10**30)) for _ in decimals)
    fee_wad, version = draw(st.integers(10**12, 10**17)), draw(st.sampled_from((1, 2)))
    return BalancerWeightedPool(
        POOL, "0x00", VAULT, make_tokens(decimals), balances, fee_wad, tuple(weights), version
    )


@st.composite
def stable_pools(draw) -> BalancerStablePool:
    decimals = draw(st.lists(st.sampled_from((6, 8, 18)), min_size=2, max_size=5))
    whole = draw(st.integers(1, 10**9))
    balances = tuple(draw(st.integers(1, 50)) * whole * 10**places // 10 for places in decimals)
    factors = tuple(10 ** (18 - places) * draw(st.integers(WAD // 2, 2 * WAD)) for places in decimals)
    fee_wad, amp = draw(st.integers(10**12, 10**17)), draw(st.integers(1, 5_000)) * 1_000
    return BalancerStablePool(
        POOL, "0x00", VAULT, make_tokens(decimals), balances, fee_wad, factors, amp, draw(st.booleans())
    )


pools = st.one_of(weighted_pools(), stable_pools())


@pytest.mark.parametrize("entry", GOLDEN["pools"], ids=lambda entry: entry["name"])
def test_quote_of_recorded_pool_equals_the_vaults_answer(entry):
    pool = load(entry)
    for side_in, side_out, amount, answer in entry["given_in"]:
        sides = pool.tokens[side_in], pool.tokens[side_out]
        assert pool.quote(*sides, int(amount), Exact.IN) == int(answer)


@given(pools, amounts, exacts)
def test_quote_is_what_swap_does(pool, amount, exact):
    pool_laws.require_quote_is_swap(pool, pool.tokens[:2], amount, exact)


@given(pools, amounts, amounts, exacts)
def test_quote_of_more_is_no_less(pool, amount, other, exact):
    # the power errs by up to 1e-14 either way, and is rounded up by as much again
    side = pool.tokens[1] if exact is Exact.IN else pool.tokens[0]
    slack = 4 * max(pool.balances[pool.tokens.index(side)] // 10**14, 1)
    pool_laws.require_monotone(pool, pool.tokens[:2], (amount, other), exact, slack)


@given(pools, amounts, exacts)
def test_swap_there_and_back_never_pays(pool, amount, exact):
    pool_laws.require_no_free_round_trip(pool, pool.tokens[:2], amount, exact)


@given(pools)
def test_to_json_survives_text(pool):
    pool_laws.require_json_round_trip(pool)


@pytest.mark.parametrize("entry", GOLDEN["pools"], ids=lambda entry: entry["name"])
def test_from_json_of_what_curves_alone_depend_on_quotes_the_same(entry):
    pool = load(entry)
    left_out = {"pool_id", "vault"} | ({"pow_version"} if entry["state"].get("pow_version") == "2" else set())
    bare = {name: value for name, value in pool.to_json().items() if name not in left_out}
    again = type(pool).from_json(bare, pool.tokens)
    amount = pool.balances[0] // 10
    quotes = [found.quote(*pool.tokens[:2], amount, Exact.IN) for found in (pool, again)]
    assert quotes[0] == quotes[1]
    assert again.vault == VAULT


@given(pools)
def test_spot_price_bounds_what_a_small_swap_pays(pool):
    token_in, token_out = pool.tokens[:2]
    amount = pool.balances[0] // 10**4
    paid = pool_laws.outcome(lambda: pool.quote(token_in, token_out, amount, Exact.IN))
    assume(amount > 1_000 and not isinstance(paid, str))  # below, the fee's rounding is a large part
    ideal = pool.spot_price(token_in, token_out) * amount * (1 - Fraction(pool.swap_fee_wad, WAD))
    assert paid <= ideal
    assert paid >= ideal * Fraction(9, 10) - 1 - pool.balances[1] // 10**12 or ideal > pool.balances[1] // 20


@pytest.mark.parametrize("entry", GOLDEN["pools"], ids=lambda entry: entry["name"])
@pytest.mark.parametrize("impact_bps", [1, 100, 2_000])
def test_depth_is_the_last_amount_within_the_impact(entry, impact_bps):
    pool = load(entry)
    pool_laws.require_depth_is_the_last_within(pool, pool.tokens[:2], impact_bps)


def test_quote_of_the_pools_own_token_is_refused_by_name():
    pool = load(GOLDEN["pools"][4])
    own = Token(1, pool.address, "BPT", 18)
    with pytest.raises(InputError, match="joins or exits"):
        pool.quote(own, pool.tokens[0], 1, Exact.IN)


def test_quote_of_a_token_that_the_pool_lacks_is_refused():
    pool = load(GOLDEN["pools"][0])
    with pytest.raises(InputError, match="asked of"):
        pool.quote(pool.tokens[0], make_tokens([18])[0], 1, Exact.IN)
    with pytest.raises(InputError, match="asked of"):
        pool.quote(pool.tokens[0], pool.tokens[0], 1, Exact.IN)


def test_quote_beyond_the_ratio_says_what_the_contract_says():
    pool = load(GOLDEN["pools"][2])
    with pytest.raises(PoolRevertError, match="30 % of the pool's balance goes in") as refusal:
        pool.quote(*pool.tokens, pool.balances[0], Exact.IN)
    assert refusal.value.reason == "BAL#304"
