"""Readings of Curve pools, from contracts that answer from a table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from curve_answers import (
    BASE,
    CRYPTO,
    NOW,
    POOL,
    SEQUENCES,
    STABLE,
    TRICRYPTO,
    crypto_answers,
    make_tokens,
    number,
    peg_answers,
    stable_answers,
)
from scripted_contract import answer_of, perform_scripted

from onchain_exec.core import Exact
from onchain_exec.errors import InputError, NoPoolError
from onchain_exec.venues.curve import CurveCryptoPool, CurveStablePool, Receiver, read_curve_pool


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


@pytest.mark.parametrize("entry", SEQUENCES)
def test_read_of_a_crypto_pool_finds_what_moves_its_price_scale(entry):
    pool = CurveCryptoPool.from_json({"address": POOL, **entry["state"]}, make_tokens(entry["decimals"]))
    told = crypto_answers(pool, pool.ann) | peg_answers(pool)
    found = perform_scripted(read_curve_pool(POOL), told, timestamp=pool.peg.traded_at)
    assert found.to_json() | {"receiver": ""} == pool.to_json() | {"receiver": ""}
    later = perform_scripted(read_curve_pool(POOL), told, timestamp=pool.peg.traded_at + 600)
    assert later.peg.traded_at == pool.peg.traded_at + 600


def test_read_of_the_first_tricrypto_gives_its_a_the_multiplier():
    pool = CurveCryptoPool.from_json(
        TRICRYPTO["state"] | {"address": POOL}, make_tokens(TRICRYPTO["decimals"])
    )
    assert perform_scripted(read_curve_pool(POOL), crypto_answers(pool, pool.ann // 10_000)) == pool


def test_read_of_a_pool_whose_a_moves_finds_how():
    entry = next(entry for entry in STABLE if entry["source"] == "template")
    pool = CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
    told = stable_answers(entry, pool)
    facts = {"initial_A": pool.amp - 50, "future_A": pool.amp + 50}
    facts |= {"initial_A_time": NOW - 1_000, "future_A_time": NOW + 1_000}
    for name, value in facts.items():
        told |= number(f"{name}()", value)
    found = perform_scripted(read_curve_pool(POOL), told, timestamp=NOW)
    assert [found.at(NOW + late).amp - pool.amp for late in (0, 500, 1_000, 10**6)] == [0, 25, 50, 50]
    assert type(found).from_json(found.to_json(), found.tokens) == found
    settled = perform_scripted(read_curve_pool(POOL), told, timestamp=NOW + 1_000)
    assert settled.ramp is None


def test_read_of_a_meta_pool_takes_the_base_price_from_its_cache_for_ten_minutes():
    entry = next(entry for entry in STABLE if entry["source"] == "meta")
    pool = CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
    told = stable_answers(entry, pool) | number("base_virtual_price()", pool.rates_wad[1])
    told |= answer_of(BASE, "get_virtual_price()", ["uint256"])(pool.rates_wad[1] + 1)
    assert perform_scripted(read_curve_pool(POOL), told, timestamp=NOW - 1).rates_wad == pool.rates_wad


def test_read_of_a_killed_pool_is_refused():
    entry = STABLE[0]
    pool = CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
    with pytest.raises(NoPoolError, match="killed"):
        perform_scripted(read_curve_pool(POOL), stable_answers(entry, pool) | number("is_killed()", 1))


def test_read_of_a_pool_that_no_model_answers_is_refused():
    entry = STABLE[0]
    pool = CurveStablePool.from_json({"address": POOL, **entry}, make_tokens(entry["decimals"]))
    with pytest.raises(NoPoolError, match="otherwise than every model"):
        perform_scripted(read_curve_pool(POOL), stable_answers(entry, pool, off_by=1))


def test_read_of_what_is_no_pool_is_refused():
    with pytest.raises(InputError, match="no Curve pool"):
        perform_scripted(read_curve_pool(POOL), {})
