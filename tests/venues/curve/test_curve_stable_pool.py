"""StableSwap pools: the answers of the contracts and of the chain, and the laws of pools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pool_laws
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.curve import CurveStablePool, StableFlavour
from onchain_exec.venues.curve.stable_math import compute_d

GOLDEN = Path(__file__).parents[2] / "golden"
POOL = to_address("0x" + "ee" * 20)
RANDOM = json.loads((GOLDEN / "curve_stable_random.json").read_text())["pools"]
SOURCES = ["threepool", "template", "meta", "ng", "meta_ng"]


def make_tokens(decimals: list[int]) -> tuple[Token, ...]:
    return tuple(Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", d) for n, d in enumerate(decimals))


def make_pool(entry: dict[str, Any]) -> CurveStablePool:
    return CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))


@st.composite
def pools(draw, flavours=tuple(StableFlavour)) -> CurveStablePool:
    flavour = draw(st.sampled_from(flavours))
    decimals = draw(st.lists(st.sampled_from((6, 8, 18)), min_size=2, max_size=8))
    whole = draw(st.integers(100, 10**9))
    balances = tuple(draw(st.integers(10, 1_000)) * whole * 10 ** (places - 2) for places in decimals)
    worth = st.just(WAD) if flavour is StableFlavour.THREEPOOL else st.integers(WAD // 2, 2 * WAD)
    rates = tuple(10 ** (18 - places) * draw(worth) for places in decimals)
    amp = draw(st.integers(1, 5_000)) * flavour.amp_precision
    fee, admin_fee = draw(st.integers(0, 10**8)), draw(st.integers(0, 10**10))
    offpeg = draw(st.sampled_from((0, 2 * 10**10, 10**11))) if flavour is StableFlavour.NG else 0
    return CurveStablePool(
        POOL, make_tokens(decimals), balances, rates, amp, fee, admin_fee, offpeg, flavour
    )  # fmt: skip


def get_invariant(pool: CurveStablePool) -> int:
    scaled = [balance * rate // WAD for balance, rate in zip(pool.balances, pool.rates_wad, strict=True)]
    return compute_d(scaled, pool.amp, pool.flavour)


exact_quotes = pools((StableFlavour.TEMPLATE, StableFlavour.NG))
amounts = st.one_of(st.integers(0, 10**4), st.integers(1, 10**26))
exacts = st.sampled_from(Exact)


@pytest.mark.parametrize("source", SOURCES)
def test_quote_on_random_states_equals_get_dy(source):
    checked = 0
    for entry in (entry for entry in RANDOM if entry["source"] == source):
        pool = make_pool(entry)
        for side_in, side_out, amount, get_dy, *_ in entry["cases"]:
            sides = pool.tokens[side_in], pool.tokens[side_out]
            assert pool.quote(*sides, int(amount), Exact.IN) == int(get_dy)
            checked += 1
    assert checked >= 300


@pytest.mark.parametrize("source", SOURCES)
def test_swap_on_random_states_leaves_the_balances_of_exchange(source):
    for entry in (entry for entry in RANDOM if entry["source"] == source):
        pool = make_pool(entry)
        for side_in, side_out, amount, _, after, _ in entry["cases"]:
            sides = pool.tokens[side_in], pool.tokens[side_out]
            balances = pool.swap(*sides, int(amount), Exact.IN).pool_after.balances
            assert [balances[side_in], balances[side_out]] == [int(balance) for balance in after]


def test_get_dx_on_random_states_equals_the_contracts_answer():
    checked = 0
    for entry in RANDOM:
        pool = make_pool(entry)
        for side_in, side_out, _, get_dy, _, get_dx in entry["cases"]:
            if get_dx is not None:
                assert pool.get_dx(pool.tokens[side_in], pool.tokens[side_out], int(get_dy)) == int(get_dx)
                checked += 1
    assert checked > 500


def test_quote_of_the_recorded_three_pool_equals_the_chains_answers():
    entry = json.loads((GOLDEN / "curve_3pool_answers.json").read_text())
    pool = CurveStablePool.from_json(entry["state"], make_tokens(entry["decimals"]))
    for side_in, side_out, amount, answer in entry["cases"]:
        sides = pool.tokens[side_in], pool.tokens[side_out]
        assert pool.quote(*sides, int(amount), Exact.IN) == int(answer)


@given(exact_quotes, amounts, exacts)
def test_quote_is_what_swap_does(pool, amount, exact):
    pool_laws.require_quote_is_swap(pool, pool.tokens[:2], amount, exact)


@given(pools((StableFlavour.THREEPOOL,)), amounts)
def test_quote_of_the_three_pool_is_at_most_one_unit_above_swap(pool, amount):
    quoted = pool_laws.outcome(lambda: pool.quote(*pool.tokens[:2], amount, Exact.IN))
    if not isinstance(quoted, str):
        assert 0 <= quoted - pool.swap(*pool.tokens[:2], amount, Exact.IN).amount_out <= 1


@given(pools(), amounts, amounts, exacts)
def test_quote_of_more_is_no_less(pool, amount, other, exact):
    pool_laws.require_monotone(pool, pool.tokens[:2], (amount, other), exact, slack=2)


@given(pools(), amounts, exacts)
def test_swap_there_and_back_never_pays(pool, amount, exact):
    pool_laws.require_no_free_round_trip(pool, pool.tokens[:2], amount, exact)


@given(pools(), amounts)
def test_swap_never_lowers_the_invariant(pool, amount):
    done = pool_laws.outcome(lambda: pool.swap(*pool.tokens[:2], amount, Exact.IN))
    if isinstance(done, str) or pool.admin_fee_e10:
        return
    after = pool_laws.outcome(lambda: get_invariant(done.pool_after))
    # a swap computes the invariant before it only, and may leave balances whose own overflows
    assert isinstance(after, str) or after >= get_invariant(pool) - 2


@given(pools(), amounts)
def test_swap_of_exact_output_takes_the_smallest_input_that_reaches_it(pool, amount):
    amount_in = pool_laws.outcome(lambda: pool.quote(*pool.tokens[:2], amount, Exact.OUT))
    if isinstance(amount_in, str):
        return
    assert pool.swap(*pool.tokens[:2], amount_in, Exact.IN).amount_out >= amount
    less = pool_laws.outcome(lambda: pool.swap(*pool.tokens[:2], amount_in - 1, Exact.IN))
    assert isinstance(less, str) or less.amount_out < amount


@given(pools())
def test_to_json_survives_text(pool):
    pool_laws.require_json_round_trip(pool)


@given(pools(), st.sampled_from((1, 30, 1_000)))
def test_depth_is_the_last_amount_within_the_impact(pool, impact_bps):
    pool_laws.require_depth_is_the_last_within(pool, pool.tokens[:2], impact_bps)


@given(pools((StableFlavour.NG,)))
def test_fee_pips_lies_between_the_fee_and_its_multiple(pool):
    multiple = max(pool.offpeg_multiplier_e10, 10**10)
    fee_pips = pool.fee_pips(*pool.tokens[:2])
    assert pool.swap_fee_e10 <= fee_pips * 10**4 < pool.swap_fee_e10 * multiple // 10**10 + 10**4


def test_quote_of_a_foreign_token_is_refused():
    pool = make_pool(RANDOM[0])
    with pytest.raises(InputError):
        pool.quote(pool.tokens[0], pool.tokens[0], 1, Exact.IN)


def test_quote_of_nothing_or_of_all_is_refused():
    pool = make_pool(RANDOM[0])
    with pytest.raises(PoolRevertError):
        pool.quote(*pool.tokens[:2], 0, Exact.IN)
    with pytest.raises(PoolRevertError):
        pool.quote(*pool.tokens[:2], pool.balances[1], Exact.OUT)


def test_swap_in_a_drained_pool_reverts_as_uint256_overflows():
    # curvefi/curve-contract@574f4402 pool-templates/base: exchange(0, 1, 1377258493, 0) reverted
    pool = CurveStablePool(
        POOL,
        make_tokens([18, 6]),
        (6423033810704453, 99993663830007335765),
        (WAD, 10**30),
        200,
        2,
        5 * 10**9,
        0,
        StableFlavour.TEMPLATE,
    )
    with pytest.raises(PoolRevertError, match="too far apart"):
        pool.swap(*pool.tokens, 1377258493, Exact.IN)
