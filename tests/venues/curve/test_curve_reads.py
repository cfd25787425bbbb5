"""Readings of Curve pools, from contracts that answer from a table; ``get_dy`` is the golden answers'."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_contract import answer_of, perform_scripted, token_answers

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.errors import InputError, NoPoolError
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool, read_curve_pool
from onchain_exec.venues.curve.exchange import Receiver

GOLDEN = Path(__file__).parents[2] / "golden"
POOL, BASE = to_address("0x" + "ee" * 20), to_address("0x" + "ba" * 20)
STABLE = json.loads((GOLDEN / "curve_stable_random.json").read_text())["pools"]
CRYPTO = json.loads((GOLDEN / "curve_crypto_random.json").read_text())["pools"]
TRICRYPTO = json.loads((GOLDEN / "curve_tricrypto_answers.json").read_text())
NOW = 1_700_000_000


def make_tokens(decimals):
    return tuple(Token(1, to_address(bytes(19) + bytes([n + 1])), f"T{n}", d) for n, d in enumerate(decimals))


def number(signature, value, *arguments):
    return answer_of(POOL, signature, ["uint256"], *arguments)(value)


def common_answers(pool, get_dy, off_by=0):
    answers = {}
    for index, (token, balance) in enumerate(zip(pool.tokens, pool.balances, strict=True)):
        answers |= answer_of(POOL, "coins(uint256)", ["address"], index)(token.address)
        answers |= number("balances(uint256)", balance, index) | token_answers(token)
    for side_in in (0, 1):
        for share in (10**6, 10**3, 10):
            amount = max(pool.balances[side_in] // share, 1)
            sides = pool.tokens[side_in], pool.tokens[1 - side_in]
            given = pool.quote(*sides, amount, Exact.IN) + off_by
            answers |= number(get_dy, given, side_in, 1 - side_in, amount)
    return answers


def stable_answers(entry, pool, off_by=0):
    answers = common_answers(pool, "get_dy(int128,int128,uint256)", off_by)
    answers |= number("fee()", pool.swap_fee_e10) | number("admin_fee()", pool.admin_fee_e10)
    if entry["source"] == "threepool":
        return answers | number("A()", pool.amp)
    answers |= number("A()", pool.amp // 100) | number("A_precise()", pool.amp)
    if entry["source"].endswith("ng"):
        answers |= number("offpeg_fee_multiplier()", pool.offpeg_multiplier_e10)
        return answers | answer_of(POOL, "stored_rates()", ["uint256[]"])(list(pool.rates_wad))
    if entry["source"] == "meta":
        answers |= answer_of(POOL, "base_pool()", ["address"])(BASE)
        answers |= number("base_virtual_price()", 10**18) | number("base_cache_updated()", NOW - 601)
        return answers | answer_of(BASE, "get_virtual_price()", ["uint256"])(pool.rates_wad[1])
    return answers


def crypto_answers(pool, a):
    answers = common_answers(pool, "get_dy(uint256,uint256,uint256)")
    facts = {"A": a, "gamma": pool.gamma, "D": pool.d, "mid_fee": pool.mid_fee_e10}
    facts |= {"out_fee": pool.out_fee_e10, "fee_gamma": pool.fee_gamma}
    for name, value in facts.items():
        answers |= number(f"{name}()", value)
    if len(pool.tokens) == 2:
        return answers | number("price_scale()", pool.price_scale_wad[0])
    for index, price in enumerate(pool.price_scale_wad):
        answers |= number("price_scale(uint256)", price, index)
    return answers


@pytest.mark.parametrize("source", ["threepool", "template", "meta", "ng", "meta_ng"])
def test_read_of_a_stable_pool_finds_its_state_and_its_arithmetic(source):
    for entry in [entry for entry in STABLE if entry["source"] == source][:8]:
        pool = CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
        found = perform_scripted(read_curve_pool(POOL), stable_answers(entry, pool), timestamp=NOW)
        open_facts = {"flavour": "", "receiver": ""}
        assert found.to_json() | open_facts == pool.to_json() | open_facts
        assert (found.receiver is Receiver.LAST) == source.endswith("ng")
        for amount in (10**3, 10**6, pool.balances[0] // 7):
            sides = pool.tokens[:2]
            assert found.quote(*sides, amount, Exact.IN) == pool.quote(*sides, amount, Exact.IN)


@pytest.mark.parametrize("flavour", ["tricrypto_ng", "twocrypto_ng"])
def test_read_of_a_crypto_pool_finds_its_state_and_its_arithmetic(flavour):
    for entry in [entry for entry in CRYPTO if entry["flavour"] == flavour][:5]:
        pool = CurveCryptoPool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
        found = perform_scripted(read_curve_pool(POOL), crypto_answers(pool, pool.ann))
        assert found == replace(pool, receiver=Receiver.LAST)


def test_read_of_the_first_tricrypto_gives_its_a_the_multiplier():
    pool = CurveCryptoPool.from_json(
        TRICRYPTO["state"] | {"address": POOL}, make_tokens(TRICRYPTO["decimals"])
    )
    assert perform_scripted(read_curve_pool(POOL), crypto_answers(pool, pool.ann // 10_000)) == pool


def test_read_of_a_pool_that_no_model_answers_is_refused():
    entry = STABLE[0]
    pool = CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
    with pytest.raises(NoPoolError, match="otherwise than every model"):
        perform_scripted(read_curve_pool(POOL), stable_answers(entry, pool, off_by=1))


def test_read_of_what_is_no_pool_is_refused():
    with pytest.raises(InputError, match="no Curve pool"):
        perform_scripted(read_curve_pool(POOL), {})
