"""The tricryptos of 2021 along exchanges: amounts and the whole state, as the contracts have them."""

from __future__ import annotations

import json
from dataclasses import replace

import pool_laws
import pytest
from curve_answers import GOLDEN, POOL, answer_of, crypto_answers, make_tokens, number
from eth_abi import encode
from evm_reading import perform
from hypothesis import given
from hypothesis import strategies as st
from scripted_contract import perform_scripted

from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Call, Exact, Log, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError, StaleStateError
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.curve import CurveCryptoPool, read_curve_pool
from onchain_exec.venues.curve.crypto.first_peg import compute_half_power, compute_root
from onchain_exec.venues.curve.crypto.first_peg_reads import READ_SLOTS
from onchain_exec.venues.curve.ramp import Ramp

SEQUENCES = json.loads((GOLDEN / "curve_first_tricrypto_sequences.json").read_text())["pools"]
LP_TOKEN = to_address("0x" + "1b" * 20)
TOKEN_EXCHANGE = bytes.fromhex("b2e76ae99761dc136e598d4a629bb347eccb9532a5f8bbd72e18467c3c34cc98")


def make_pool(entry) -> CurveCryptoPool:
    return CurveCryptoPool.from_json({"address": POOL, **entry["state"]}, make_tokens(entry["decimals"]))


def state_of(pool):
    state = pool.to_json()
    state |= state["peg"]
    names = ("balances", "price_scale_wad", "d", "price_oracle_wad", "last_prices_wad")
    return {name: state[name] for name in (*names, "virtual_price_wad", "xcp_profit_wad", "not_adjusted")}


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


def test_apply_of_the_contracts_events_follows_it_and_another_amount_does_not_fit():
    entry = SEQUENCES[0]
    pool = make_pool(entry)
    for at, side_in, side_out, amount, answer, state in entry["swaps"]:
        if state is not None:
            words = side_in, int(amount), side_out, int(answer)
            pool = pool.at(int(at)).apply(_make_log(*words))
            assert state_of(pool) == state
    with pytest.raises(StaleStateError):
        pool.apply(_make_log(0, 10**6, 1, 1))


def _make_log(*words: int) -> Log:
    topics = (TOKEN_EXCHANGE, bytes(12) + bytes(20))
    return Log(POOL, topics, encode(["uint256"] * 4, words), 0)


def peg_answers(pool, *, first: bool, storage: list[int]):
    """Return what a pool tells of its peg; the ``first`` of them has a threshold of its own."""
    peg = pool.peg
    facts = {
        "adjustment_step": peg.adjustment_step_wad,
        "ma_half_time": peg.ma_time_s,
        "virtual_price": peg.virtual_price_wad,
        "xcp_profit": peg.xcp_profit_wad,
        "last_prices_timestamp": peg.averaged_at,
        "initial_A_gamma": peg.ramp.start[0] << 128 | peg.ramp.start[1],
        "future_A_gamma": peg.ramp.end[0] << 128 | peg.ramp.end[1],
        "initial_A_gamma_time": peg.ramp.started_at,
        "future_A_gamma_time": peg.ramp.ends_at,
    }
    facts["price_threshold" if first else "allowed_extra_profit"] = (
        peg.threshold_wad if first else peg.allowed_extra_profit_wad
    )
    answers = crypto_answers(pool, pool.ann // (10_000 if first else 1))
    for name, value in facts.items():
        answers |= number(f"{name}()", value)
    for name, prices in (("price_oracle", peg.price_oracle_wad), ("last_prices", peg.last_prices_wad)):
        for index, price in enumerate(prices):
            answers |= number(f"{name}(uint256)", price, index)
    answers |= answer_of(POOL, "token()", ["address"])(LP_TOKEN)
    answers |= answer_of(LP_TOKEN, "totalSupply()", ["uint256"])(peg.lp_supply)
    answers |= {(POOL, bytes(4)): b"", (POOL, b""): encode(["uint256[64]"], [[*storage, *[0] * 64][:64]])}
    return answers


def get_storage(pool, flag: int) -> list[int]:
    return [7, pool.peg.xcp_profit_wad, 8, pool.peg.virtual_price_wad, flag, 9]


@pytest.mark.parametrize("entry", SEQUENCES)
@pytest.mark.parametrize("flag", [0, 1])
def test_read_finds_what_moves_the_price_scale(entry, flag):
    pool = make_pool(entry)
    first = pool.peg.threshold_wad != pool.peg.adjustment_step_wad
    told = peg_answers(pool, first=first, storage=get_storage(pool, flag))
    found = perform_scripted(read_curve_pool(POOL), told, timestamp=pool.peg.traded_at)
    assert found.peg == replace(pool.peg, not_adjusted=bool(flag))
    assert found == replace(pool, peg=found.peg)


def test_read_of_what_is_not_modelled_leaves_the_peg_out():
    pool = make_pool(SEQUENCES[-1])
    good = peg_answers(pool, first=True, storage=get_storage(pool, 1))
    moving = {(POOL, call): data for (_, call), data in number("future_A_gamma_time()", 2**40).items()}
    without_default = {key: data for key, data in good.items() if key != (POOL, bytes(4))}
    empty = good | answer_of(LP_TOKEN, "totalSupply()", ["uint256"])(0)
    unclear = peg_answers(pool, first=True, storage=get_storage(pool, 1) * 2)
    strange = peg_answers(pool, first=True, storage=get_storage(pool, 2))
    for told in (good | moving, without_default, empty, unclear, strange):
        found = perform_scripted(read_curve_pool(POOL), told, timestamp=pool.peg.traded_at)
        assert found == replace(pool, peg=None)


def test_read_slots_answers_the_storage_of_the_contract_whose_place_it_takes():
    evm = LocalEvm(1337)
    # store 1000 + i in slot i for i below 70, and keep no code but a STOP
    contract = evm.deploy(bytes.fromhex("60005b806103e80181556001018060461160025760016000f3"))
    reading = _read_words(contract)
    assert perform(evm, reading) == [1_000 + slot for slot in range(64)]


def _read_words(contract):
    snapshot = yield (Call(contract, b"", code=READ_SLOTS, sender=DEPLOYER),)
    data = snapshot.answers[0].data
    return [int.from_bytes(data[at : at + 32]) for at in range(0, len(data), 32)]


@pytest.mark.parametrize("entry", SEQUENCES[::4])
def test_to_json_of_a_pool_with_a_peg_survives_text(entry):
    pool_laws.require_json_round_trip(make_pool(entry))


def test_swap_after_the_end_of_a_ramp_computes_d_anew_once():
    pool = make_pool(SEQUENCES[0])
    ramp = Ramp((pool.ann // 2, pool.gamma), (pool.ann, pool.gamma), 1, pool.peg.traded_at - 1)
    ramped = replace(pool, d=pool.d - 10**12, peg=replace(pool.peg, ramp=ramp))
    amount = pool.balances[0] // 100
    after = ramped.swap(*pool.tokens[:2], amount, Exact.IN).pool_after
    assert after.peg.ramp.ends_at == 0
    assert after.balances == pool.swap(*pool.tokens[:2], amount, Exact.IN).pool_after.balances


@given(st.integers(0, 70 * WAD))
def test_half_power_is_a_half_to_the_power(power):
    assert abs(compute_half_power(power) / WAD - 0.5 ** (power / WAD)) <= 2e-8


@given(st.integers(0, 10**6 * WAD))
def test_root_squared_is_the_number(x):
    found = pool_laws.outcome(lambda: compute_root(x))
    assert found == "Did not converge" or abs(found**2 - x * WAD) <= 2 * found + 1
