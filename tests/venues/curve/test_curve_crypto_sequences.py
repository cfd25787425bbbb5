"""CryptoSwap pools along exchanges over time: amounts and the whole state, as the contracts have them."""

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
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.curve import CurveCryptoPool

SEQUENCES = json.loads((Path(__file__).parents[2] / "golden" / "curve_crypto_sequences.json").read_text())[
    "pools"
]
shares = st.integers(1, 5 * 10**8)  # of a balance, in 1e-9
POOL = to_address("0x" + "ee" * 20)


def make_pool(entry: dict[str, Any]) -> CurveCryptoPool:
    tokens = tuple(
        Token(1, to_address(bytes(19) + bytes([number])), f"T{number}", places)
        for number, places in enumerate(entry["decimals"])
    )
    return CurveCryptoPool.from_json({"address": POOL, **entry["state"]}, tokens)


def state_of(pool: CurveCryptoPool) -> dict[str, Any]:
    state = pool.to_json()
    state |= state["peg"]
    names = ("balances", "price_scale_wad", "d", "price_oracle_wad", "last_prices_wad")
    return {name: state[name] for name in (*names, "virtual_price_wad", "xcp_profit_wad")}


pegged = st.builds(make_pool, st.sampled_from(SEQUENCES))


@pytest.mark.parametrize("flavour", ["tricrypto_ng", "twocrypto_ng", "twocrypto_ng_2_0"])
def test_swap_after_swap_equals_the_contract(flavour):
    moves = 0
    for entry in (entry for entry in SEQUENCES if entry["state"]["flavour"] == flavour):
        pool = make_pool(entry)
        for at, side_in, side_out, amount, answer, state in entry["swaps"]:
            sides, scale = (pool.tokens[side_in], pool.tokens[side_out]), pool.price_scale_wad
            pool = pool.at(int(at))
            if state is None:
                with pytest.raises(PoolRevertError) as refused:
                    pool.swap(*sides, int(amount), Exact.IN)
                assert refused.value.reason == answer["revert"]
                continue
            done = pool.swap(*sides, int(amount), Exact.IN)
            assert str(done.amount_out) == answer
            pool = done.pool_after
            assert state_of(pool) == state
            moves += pool.price_scale_wad != scale
    assert moves > 20


@pytest.mark.parametrize("entry", SEQUENCES[:2] + SEQUENCES[-1:])
def test_to_json_of_a_pool_with_a_peg_survives_text(entry):
    pool_laws.require_json_round_trip(make_pool(entry))


@pytest.mark.parametrize("entry", SEQUENCES[:16])
def test_swap_in_a_later_block_gives_the_same_and_moves_the_average_further(entry):
    pool = make_pool(entry)
    now = pool.peg.traded_at
    sides = pool.tokens[0], pool.tokens[1]
    amount = pool.balances[0] // 100
    soon, late = (pool.at(now + wait).swap(*sides, amount, Exact.IN) for wait in (1, 10**9))
    assert soon.amount_out == late.amount_out
    spots = tuple(map(min, pool.peg.last_prices_wad, (2 * scale for scale in pool.price_scale_wad)))
    assert late.pool_after.peg.price_oracle_wad == spots


@given(pegged, st.lists(st.tuples(st.integers(0, 10**6), st.booleans(), shares), max_size=5))
def test_swaps_give_what_is_quoted_and_never_lower_the_pools_value(pool, swaps):
    settled = not pool.peg.ramp.is_moving(pool.peg.traded_at)
    for wait, there, share in swaps:
        pool = pool.at(pool.peg.traded_at + wait)
        sides = pool.tokens[:2] if there else pool.tokens[1::-1]
        amount = pool.balances[0 if there else 1] * share // 10**9 + 1
        try:
            done = pool.swap(*sides, amount, Exact.IN)
        except PoolRevertError:
            continue
        assert done.amount_out == pool.quote(*sides, amount, Exact.IN)
        after = done.pool_after
        assert after.peg.virtual_price_wad >= WAD or not settled
        assert after.peg.averaged_at == after.peg.traded_at
        if after.price_scale_wad == pool.price_scale_wad and settled:
            assert after.peg.virtual_price_wad > pool.peg.virtual_price_wad
        pool = after


@given(pegged, shares)
def test_swap_of_exact_output_takes_the_smallest_input_that_reaches_it(pool, share):
    sides, amount = pool.tokens[:2], pool.balances[1] * share // 10**10
    amount_in = pool_laws.outcome(lambda: pool.swap(*sides, amount, Exact.OUT).amount_in)
    if isinstance(amount_in, str):
        return
    assert pool.quote(*sides, amount_in, Exact.IN) >= amount
    less = pool_laws.outcome(lambda: pool.quote(*sides, amount_in - 1, Exact.IN))
    assert isinstance(less, str) or less < amount
