"""Curve pools along the contracts' events: the state after is theirs, or is asked for anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from onchain_exec.app.pools.history import PoolHistory
from onchain_exec.core import BlockRef, Exact, Log, Token, to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, StaleStateError
from onchain_exec.venues import is_followed
from onchain_exec.venues.curve import CurveCryptoPool, CurvePool, CurveStablePool, Receiver, StableFlavour
from onchain_exec.venues.curve.stable_events import APPLY_NEW_FEE, NEW_FEE, RAMP_A, STOP_RAMP_A
from onchain_exec.venues.fill import PoolFill
from onchain_exec.venues.terms import SwapTerms

RECORDED = json.loads((Path(__file__).parents[2] / "golden" / "curve_events.json").read_text())["pools"]
POOL, TRADER, OTHER = (to_address("0x" + digits * 20) for digits in ("ee", "aa", "bb"))
NAMES = [entry["source"] for entry in RECORDED]


def make_pool(entry: dict[str, Any], state: dict[str, Any]) -> CurvePool:
    places = enumerate(entry["decimals"])
    tokens = tuple(Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", d) for n, d in places)
    pool_type = CurveCryptoPool if "gamma" in state else CurveStablePool
    return pool_type.from_json({"address": POOL, **state}, tokens)


def make_logs(found: list[Any]) -> tuple[Log, ...]:
    return tuple(
        Log(POOL, tuple(map(bytes.fromhex, topics)), bytes.fromhex(data), index)
        for index, (topics, data) in enumerate(found)
    )


def follow(pool: CurvePool, logs: tuple[Log, ...]) -> CurvePool:
    for log in logs:
        pool = pool.apply(log)
    return pool


def make_block(number: int, at: int) -> BlockRef:
    return BlockRef(1, number, f"0x{number:064x}", at, 0, 30_000_000)


@pytest.mark.parametrize("entry", RECORDED, ids=NAMES)
def test_history_of_a_pool_is_the_contracts_or_lost(entry):
    pool = make_pool(entry, entry["state"])
    history = PoolHistory([pool], depth=64)
    blocks = [make_block(number, int(at)) for number, (at, *_) in enumerate(entry["blocks"])]
    for block, (_, logs, state) in zip(blocks, entry["blocks"], strict=True):
        if not is_followed(pool):
            continue
        history.apply(block, make_logs(logs))
        assert (pool.key in history.lost) == (state is None)
        if state is not None:
            assert history.pools[pool.key] == make_pool(entry, state)
    for block in reversed(blocks if is_followed(pool) else []):
        history.undo(block)
    assert history.pools[pool.key] == pool


@pytest.mark.parametrize("entry", RECORDED, ids=NAMES)
def test_apply_and_decode_fill_equal_the_contract(entry):
    pool, fills = make_pool(entry, entry["state"]), 0
    for at, found, state in entry["blocks"]:
        before = pool = pool.at(int(at))
        logs = make_logs(found)
        if state is None:
            with pytest.raises(StaleStateError, match="Read the pool again"):
                follow(pool, logs)
            return
        pool = follow(pool, logs)
        assert pool == make_pool(entry, state)
        for fill in filter(None, map(before.decode_fill, logs)):
            sides, fills = (fill.token_in, fill.token_out), fills + 1
            amount_out = before.swap(*sides, fill.amount_in, Exact.IN).amount_out
            assert fill == PoolFill(*sides, fill.amount_in, amount_out)
    assert fills


@pytest.mark.parametrize("entry", RECORDED, ids=NAMES)
def test_apply_of_an_exchange_that_gave_something_else_asks_for_the_pool(entry):
    pool = make_pool(entry, entry["state"])
    at, logs = next(
        (at, logs) for at, found, _ in entry["blocks"] if any(map(pool.decode_fill, logs := make_logs(found)))
    )
    log = next(log for log in logs if pool.decode_fill(log))
    words = [log.data[start : start + 32] for start in range(0, len(log.data), 32)]
    words[3] = (int.from_bytes(words[3]) + 1).to_bytes(32)
    with pytest.raises(StaleStateError):
        pool.at(int(at)).apply(Log(POOL, log.topics, b"".join(words), 0))


def test_apply_of_terms_takes_them_over():
    pool = make_pool(RECORDED[0], RECORDED[0]["state"])

    def tell(topic: bytes, *words: int) -> CurvePool:
        return pool.apply(Log(POOL, (topic,), b"".join(word.to_bytes(32) for word in words), 0))

    assert (tell(NEW_FEE.topic, 7, 8).swap_fee_e10, tell(NEW_FEE.topic, 7, 8).admin_fee_e10) == (7, 8)
    assert tell(APPLY_NEW_FEE.topic, 7, 2 * 10**10).offpeg_multiplier_e10 == 2 * 10**10
    rising, falling = tell(RAMP_A.topic, 100, 203, 1_000, 1_010), tell(RAMP_A.topic, 203, 100, 1_000, 1_010)
    assert [rising.at(at).amp for at in (1_000, 1_003, 1_010, 9_999)] == [100, 130, 203, 203]
    assert [falling.at(at).amp for at in (1_000, 1_003, 1_010, 9_999)] == [203, 173, 100, 100]
    assert tell(STOP_RAMP_A.topic, 55, 1_005).at(9_999).amp == 55
    assert type(pool).from_json(rising.to_json(), pool.tokens) == rising


# the method ids of the compiled contracts
@pytest.mark.parametrize(
    ("index", "receiver", "recipient", "selector"),
    [
        ("int128", Receiver.CALLER, TRADER, "3df02124"),
        ("int128", Receiver.LAST, OTHER, "ddc1f59d"),
        ("uint256", Receiver.CALLER, TRADER, "5b41b908"),
        ("uint256", Receiver.LAST, OTHER, "a64833a0"),
        ("uint256", Receiver.AFTER_USE_ETH, OTHER, "ce7d6503"),
    ],
)
def test_encode_swap_calls_the_pools_own_exchange(index, receiver, recipient, selector):
    entry = RECORDED[0 if index == "int128" else NAMES.index("tri")]
    pool = make_pool(entry, entry["state"] | {"receiver": receiver.value})
    terms = SwapTerms(Exact.IN, recipient, 0, 10**6, 77)
    to, calldata, value_wei = pool.encode_swap(pool.tokens[1], pool.tokens[0], terms, TRADER)
    words = [int.from_bytes(calldata[start : start + 32]) for start in range(4, len(calldata), 32)]
    paid = [int(recipient, 16)] if recipient != TRADER else []
    wraps = [0] if receiver is Receiver.AFTER_USE_ETH else []
    assert (to, calldata[:4].hex(), value_wei) == (POOL, selector, 0)
    assert words == [1, 0, 10**6, 77, *wraps, *paid]


def test_encode_swap_of_what_the_contract_cannot_do_is_refused():
    entry = RECORDED[0]
    pool = make_pool(entry, entry["state"])
    with pytest.raises(InputError, match="pays its caller"):
        pool.encode_swap(*pool.tokens[:2], SwapTerms(Exact.IN, OTHER, 0, WAD, 1), TRADER)
    with pytest.raises(InputError, match="exact input"):
        pool.encode_swap(*pool.tokens[:2], SwapTerms(Exact.OUT, TRADER, 0, WAD, 1), TRADER)


def test_sources_of_pools_whose_rates_may_move_are_none():
    for entry in RECORDED:
        pool = make_pool(entry, entry["state"])
        moves = isinstance(pool, CurveStablePool) and pool.flavour is not StableFlavour.THREEPOOL
        assert is_followed(pool) is not moves
