"""Solidly pools: the answers of the contracts and of the chain, and the laws of pools."""

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
from onchain_exec.venues.solidly import SolidlyPool, Variant
from onchain_exec.venues.solidly.stable_curve import compute_k

GOLDEN = Path(__file__).parents[2] / "golden"
POOL = to_address("0x" + "ee" * 20)


def make_tokens(decimals: list[int] | tuple[int, int]) -> tuple[Token, Token]:
    first, second = (Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", d) for n, d in enumerate(decimals))
    return first, second


def make_pool(entry: dict[str, Any]) -> SolidlyPool:
    state = {"address": POOL, **entry.get("state", entry)}
    return SolidlyPool.from_json(state, make_tokens(entry["decimals"]))


@st.composite
def pools(draw, least_whole: int = 1, most_whole: int = 10**10) -> SolidlyPool:
    tokens = make_tokens(draw(st.tuples(*[st.sampled_from((6, 8, 18))] * 2)))
    whole = draw(st.integers(least_whole, most_whole))
    reserves = [draw(st.integers(10, 1_000)) * whole * 10 ** (token.decimals - 2) for token in tokens]
    fee_pips = draw(st.sampled_from((0, 100, 500, 3_000, 30_000)))
    return SolidlyPool(
        POOL, *tokens, *reserves, draw(st.booleans()), fee_pips, draw(st.sampled_from(Variant))
    )


amounts = st.one_of(st.integers(0, 10**4), st.integers(1, 10**26))
exacts = st.sampled_from(Exact)


@pytest.mark.parametrize("variant", Variant)
def test_swap_on_random_reserves_equals_the_contracts_answers(variant):
    checked = 0
    for entry in json.loads((GOLDEN / "solidly_random.json").read_text())["pools"]:
        if entry["variant"] != variant.value:
            continue
        pool = make_pool(entry)
        for side, amount, answer, after in entry["cases"]:
            sides = (pool.tokens[side], pool.tokens[1 - side])
            quoted = pool_laws.outcome(lambda: pool.quote(*sides, int(amount), Exact.IN))  # noqa: B023
            assert str(quoted) == answer, (entry, side, amount)
            if after:
                pool_after = pool.swap(*sides, int(amount), Exact.IN).pool_after
                assert [pool_after.reserve0, pool_after.reserve1] == [int(reserve) for reserve in after]
            checked += 1
    assert checked > 1_000


@pytest.mark.parametrize("entry", json.loads((GOLDEN / "aerodrome_v2_answers.json").read_text())["pools"])
def test_quote_of_recorded_pool_equals_the_chains_answer(entry):
    pool = make_pool(entry)
    for side, amount, answer in entry["cases"]:
        assert pool.quote(pool.tokens[side], pool.tokens[1 - side], int(amount), Exact.IN) == int(answer)


@given(pools(), amounts, exacts)
def test_quote_is_what_swap_does(pool, amount, exact):
    pool_laws.require_quote_is_swap(pool, pool.tokens, amount, exact)


@given(pools(), amounts, amounts, exacts)
def test_quote_of_more_is_no_less(pool, amount, other, exact):
    pool_laws.require_monotone(pool, pool.tokens, (amount, other), exact, slack=1)


@given(pools(), amounts, exacts)
def test_swap_there_and_back_never_pays(pool, amount, exact):
    pool_laws.require_no_free_round_trip(pool, pool.tokens, amount, exact)


@given(pools(), amounts)
def test_quote_of_exact_output_is_the_smallest_input_that_reaches_it(pool, amount):
    amount_in = pool_laws.outcome(lambda: pool.quote(*pool.tokens, amount, Exact.OUT))
    if isinstance(amount_in, str):
        return
    assert pool.quote(*pool.tokens, amount_in, Exact.IN) >= amount
    less = pool_laws.outcome(lambda: pool.quote(*pool.tokens, amount_in - 1, Exact.IN))
    assert isinstance(less, str) or less < amount


@given(pools(), amounts)
def test_swap_never_lowers_k(pool, amount):
    def k_of(p: SolidlyPool) -> int:
        scaled = [r * WAD // 10**t.decimals for r, t in zip((p.reserve0, p.reserve1), p.tokens, strict=True)]
        return compute_k(*scaled) if p.stable else p.reserve0 * p.reserve1

    done = pool_laws.outcome(lambda: pool.swap(*pool.tokens, amount, Exact.IN))
    if not isinstance(done, str):
        before = pool_laws.outcome(lambda: k_of(pool))
        after = pool_laws.outcome(lambda: k_of(done.pool_after))
        assert isinstance(after, str) or after >= before


@given(pools())
def test_to_json_survives_text(pool):
    pool_laws.require_json_round_trip(pool)


@given(pools(1_000, 10**7), st.sampled_from((1, 30, 2_000)))
def test_depth_is_the_last_amount_within_the_impact(pool, impact_bps):
    pool_laws.require_depth_is_the_last_within(pool, pool.tokens, impact_bps)


def test_quote_of_a_foreign_token_is_refused():
    pool = SolidlyPool(POOL, *make_tokens((18, 18)), 10**20, 10**20, True, 500)
    with pytest.raises(InputError):
        pool.quote(pool.token0, pool.token0, 1, Exact.IN)


def test_quote_of_the_whole_reserve_says_what_swap_would():
    pool = SolidlyPool(POOL, *make_tokens((18, 18)), 10**20, 10**20, True, 500)
    with pytest.raises(PoolRevertError) as refusal:
        pool.quote(*pool.tokens, 10**20, Exact.OUT)
    assert refusal.value.reason == "InsufficientLiquidity"
