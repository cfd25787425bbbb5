"""StableSwap pools along exchanges: amounts and balances, as the contracts have them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.curve import CurveStablePool

SEQUENCES = json.loads((Path(__file__).parents[2] / "golden" / "curve_stable_sequences.json").read_text())[
    "pools"
]
POOL = to_address("0x" + "ee" * 20)


@pytest.mark.parametrize("source", ["threepool", "template", "meta", "ng", "meta_ng"])
def test_swap_after_swap_equals_the_contract(source):
    filled = 0
    for entry in (entry for entry in SEQUENCES if entry["source"] == source):
        places = enumerate(entry["decimals"])
        tokens = tuple(Token(1, to_address(bytes(19) + bytes([n])), f"T{n}", d) for n, d in places)
        pool = CurveStablePool.from_json({"address": POOL, **entry["state"]}, tokens)
        for rates_wad, amp, side_in, side_out, amount, given, balances in entry["swaps"]:
            pool = replace(pool, rates_wad=tuple(map(int, rates_wad)), amp=int(amp))
            sides = tokens[side_in], tokens[side_out]
            if given is None:
                with pytest.raises(PoolRevertError):
                    pool.swap(*sides, int(amount), Exact.IN)
                continue
            done = pool.swap(*sides, int(amount), Exact.IN)
            assert str(done.amount_out) == given
            pool, filled = done.pool_after, filled + 1
            assert [str(balance) for balance in pool.balances] == balances
    assert filled >= 30
