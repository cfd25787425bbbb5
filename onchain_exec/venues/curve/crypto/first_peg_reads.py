"""What moves the price scale of a tricrypto of 2021, some of which its contract tells nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onchain_exec.core import Address, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.curve.crypto.first_peg import FirstPeg
from onchain_exec.venues.curve.crypto.peg_reads import find_ramp
from onchain_exec.venues.curve.ramp import Ramp
from onchain_exec.venues.curve.told import Told

_TOKEN: Final = Function("token()", "(address)")
_TOTAL_SUPPLY: Final = Function("totalSupply()", "(uint256)")
_NOTHING: Final = bytes(4)
_SLOTS: Final = 64
READ_SLOTS: Final = bytes.fromhex("60005b80548160051b52600101806040116002576108006000f3")
"""Answers the first `_SLOTS` words of the storage of the contract in whose place it is run."""

_NEEDED: Final = (
    "adjustment_step", "ma_half_time", "virtual_price", "xcp_profit", "last_prices_timestamp",
    "initial_A_gamma", "future_A_gamma", "initial_A_gamma_time", "future_A_gamma_time",
)  # fmt: skip
_ALLOWED_EXTRA_PROFIT: Final = 10**13
"""``ALLOWED_EXTRA_PROFIT`` of the first of them, which tells a ``price_threshold`` instead."""


def read_first_peg(told: Told, ann: int) -> Reading[FirstPeg | None]:
    """Read what moves the price scale; None if the pool is of a kind that is not modelled, or empty.

    Pools without a wrapped coin (Polygon, Avalanche) take in stray tokens at every swap: they are not
    modelled, and known by having no default function. Whether an adjustment is under way is read from
    the storage itself, by code that takes the contract's place for the call: it stands behind
    ``xcp_profit``, ``xcp_profit_a`` and ``virtual_price``.
    """
    numbers, pool = told.numbers, told.address
    if any(name not in numbers for name in _NEEDED) or not numbers["virtual_price"]:
        return None
    snapshot = yield (Call(pool, _TOKEN.encode()), Call(pool, _NOTHING), Call(pool, b"", code=READ_SLOTS))
    token, default, storage = snapshot.answers
    flags = _find_flags(storage.data, numbers) if storage.success else []
    ramp = _find_ramp(told, ann)
    if not (token.success and len(token.data) == 32 and default.success and len(flags) == 1 and ramp):
        return None
    supply = yield from _read_supply(to_address(_TOKEN.decode(token.data)[0]))
    if not supply:
        return None
    step = numbers["adjustment_step"]
    return FirstPeg(
        told.prices["price_oracle"],
        told.prices["last_prices"],
        numbers["last_prices_timestamp"],
        told.block.timestamp,
        supply,
        numbers["virtual_price"],
        numbers["xcp_profit"],
        numbers.get("allowed_extra_profit", _ALLOWED_EXTRA_PROFIT),
        step,
        numbers["ma_half_time"],
        ramp,
        numbers.get("price_threshold", step),
        bool(flags[0]),
    )


def _find_ramp(told: Told, ann: int) -> Ramp | None:
    """Return how A and gamma move; None while those of the very first pool do, which differ from ours."""
    ramp = find_ramp(told.numbers)
    if "price_threshold" not in told.numbers:
        return ramp
    still = ann, told.numbers["gamma"]
    return None if ramp.is_moving(told.block.timestamp) else Ramp(still, still, 0, 0)


def _find_flags(storage: bytes, numbers: Mapping[str, int]) -> list[int]:
    """Return what stands behind the three words that are known, wherever they stand so."""
    words = [int.from_bytes(storage[at : at + 32]) for at in range(0, len(storage), 32)]
    return [
        flag
        for profit, value, flag in zip(words, words[2:], words[3:], strict=False)
        if (profit, value) == (numbers["xcp_profit"], numbers["virtual_price"]) and flag in (0, 1)
    ]


def _read_supply(token: Address) -> Reading[int]:
    snapshot = yield (Call(token, _TOTAL_SUPPLY.encode()),)
    return int(decode_answer(_TOTAL_SUPPLY, token, snapshot.answers[0])[0])
