"""CryptoSwap pools: the answers of the contracts and of the chain, and the laws of pools."""

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
from onchain_exec.errors import InputError, PoolRevertError, StaleStateError
from onchain_exec.venues.curve import CryptoFlavour, CurveCryptoPool
from onchain_exec.venues.curve.crypto.arithmetic import compute_y

GOLDEN = Path(__file__).parents[2] / "golden"
POOL = to_address("0x" + "ee" * 20)
RANDOM = json.loads((GOLDEN / "curve_crypto_random.json").read_text())
FLAVOURS = ["tricrypto_ng", "twocrypto_ng"]


def make_pool(entry: dict[str, Any]) -> CurveCryptoPool:
    tokens = tuple(
        Token(1, to_address(bytes(19) + bytes([number])), f"T{number}", places)
        for number, places in enumerate(entry["decimals"])
    )
    return CurveCryptoPool.from_json({"address": POOL, **entry.get("state", entry)}, tokens)


TRICRYPTO = json.loads((GOLDEN / "curve_tricrypto_answers.json").read_text())
pools = st.sampled_from([make_pool(entry) for entry in [TRICRYPTO, *RANDOM["pools"]]])
amounts = st.one_of(st.integers(0, 10**6), st.integers(1, 10**26))
shares = st.integers(1, 10**9)  # of a balance, in 1e-9: so that most amounts fill
exacts = st.sampled_from(Exact)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_quote_on_random_states_equals_get_dy(flavour):
    checked = 0
    for entry in (entry for entry in RANDOM["pools"] if entry["flavour"] == flavour):
        pool = make_pool(entry)
        for side_in, side_out, amount, answer, _ in entry["cases"]:
            sides = pool.tokens[side_in], pool.tokens[side_out]
            found = pool_laws.outcome(lambda: pool.quote(*sides, int(amount), Exact.IN))  # noqa: B023
            assert str(found) == (answer["revert"] if isinstance(answer, dict) else answer)
            checked += 1
    assert checked > 400


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_swap_on_random_states_leaves_the_balances_of_exchange(flavour):
    for entry in (entry for entry in RANDOM["pools"] if entry["flavour"] == flavour):
        pool = make_pool(entry)
        for side_in, side_out, amount, _, after in entry["cases"]:
            if after is not None:
                sides = pool.tokens[side_in], pool.tokens[side_out]
                balances = pool.swap(*sides, int(amount), Exact.IN).pool_after.balances
                assert [balances[side_in], balances[side_out]] == [int(balance) for balance in after]


def test_compute_y_of_the_first_tricrypto_equals_newton_y():
    for ann, gamma, scaled, d, side, answer in RANDOM["newton_y"]:
        balances = [int(balance) for balance in scaled]
        found = pool_laws.outcome(
            lambda: compute_y(CryptoFlavour.TRICRYPTO, int(ann), int(gamma), balances, int(d), side)[0]  # noqa: B023
        )
        assert (None if isinstance(found, str) else str(found)) == answer


def test_quote_of_the_recorded_tricrypto_equals_the_chains_answers():
    pool = make_pool(TRICRYPTO)
    for side_in, side_out, amount, answer in TRICRYPTO["cases"]:
        sides = pool.tokens[side_in], pool.tokens[side_out]
        assert pool.quote(*sides, int(amount), Exact.IN) == int(answer)


@given(pools, amounts, exacts)
def test_quote_is_what_swap_does(pool, amount, exact):
    pool_laws.require_quote_is_swap(pool, pool.tokens[:2], amount, exact)


@given(pools, shares)
def test_quote_of_exact_output_is_the_smallest_input_that_reaches_it(pool, share):
    sides = pool.tokens[:2]
    amount = pool.balances[1] * share // 10**9
    amount_in = pool_laws.outcome(lambda: pool.quote(*sides, amount, Exact.OUT))
    if not isinstance(amount_in, str):
        assert pool.quote(*sides, amount_in, Exact.IN) >= amount
        less = pool_laws.outcome(lambda: pool.quote(*sides, amount_in - 1, Exact.IN))
        assert isinstance(less, str) or less < amount


@given(pools, shares)
def test_spot_price_bounds_what_a_swap_pays(pool, share):
    token_in, token_out = pool.tokens[:2]
    amount = max(pool.balances[0] * share // 10**9, 1)
    paid = pool_laws.outcome(lambda: pool.quote(token_in, token_out, amount, Exact.IN))
    if not isinstance(paid, str):
        # D is kept to 1e-14 of itself only, and the curve is solved no closer
        assert paid <= pool.spot_price(token_in, token_out) * amount + pool.balances[1] // 10**9 + 1


@given(pools)
def test_spot_price_of_there_and_back_is_one(pool):
    token_in, token_out = pool.tokens[:2]
    assert pool.spot_price(token_in, token_out) * pool.spot_price(token_out, token_in) == 1


@given(pools, st.sampled_from((1, 100, 2_000)))
def test_depth_grows_with_the_impact(pool, impact_bps):
    sides = pool.tokens[:2]
    depth = pool.depth(*sides, impact_bps)
    assert depth <= pool.depth(*sides, 2 * impact_bps)
    if depth:
        paid = pool_laws.outcome(lambda: pool.quote(*sides, depth, Exact.IN))
        kept = 1 - (impact_bps + pool.out_fee_e10 / 10**6) / 10**4
        assert isinstance(paid, str) or paid >= pool.spot_price(*sides) * depth * kept * 999 // 1000 - 2


@given(pools)
def test_fee_pips_lies_between_mid_and_out_fee(pool):
    assert pool.mid_fee_e10 <= pool.fee_pips(*pool.tokens[:2]) * 10**4 < pool.out_fee_e10 + 10**4


@given(pools)
def test_to_json_survives_text(pool):
    pool_laws.require_json_round_trip(pool)


def test_quote_after_a_swap_is_refused_by_name():
    pool = make_pool(TRICRYPTO)
    after = pool.swap(*pool.tokens[:2], 10**9, Exact.IN).pool_after
    with pytest.raises(StaleStateError, match="swapped in since"):
        after.quote(*pool.tokens[:2], 1, Exact.IN)
    pool_laws.require_json_round_trip(after)


def test_quote_of_a_foreign_token_or_of_all_is_refused():
    pool = make_pool(TRICRYPTO)
    with pytest.raises(InputError):
        pool.quote(pool.tokens[0], pool.tokens[0], 1, Exact.IN)
    with pytest.raises(PoolRevertError):
        pool.quote(*pool.tokens[:2], pool.balances[1], Exact.OUT)
    with pytest.raises(PoolRevertError):
        pool.quote(*pool.tokens[:2], 10**6 * WAD, Exact.IN)
