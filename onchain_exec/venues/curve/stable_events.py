"""What StableSwap pools tell of their liquidity, fees and amplification."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from onchain_exec.core import Log
from onchain_exec.core.abi import Event
from onchain_exec.venues.words import unsigned_word

RAMP_A: Final = Event("RampA(uint256,uint256,uint256,uint256)", (), ("uint256",) * 4)
STOP_RAMP_A: Final = Event("StopRampA(uint256,uint256)", (), ("uint256",) * 2)
NEW_FEE: Final = Event("NewFee(uint256,uint256)", (), ("uint256",) * 2)
APPLY_NEW_FEE: Final = Event("ApplyNewFee(uint256,uint256)", (), ("uint256",) * 2)


class LiquidityChange(NamedTuple):
    """What liquidity moved, in base units, negative where it left; of ``fees`` the admin has a share."""

    amounts: tuple[int, ...]
    fees: tuple[int, ...]


def decode_liquidity_change(log: Log, count: int) -> LiquidityChange | None:
    """Return what a log of a pool of ``count`` tokens moved; None if it is no event of liquidity."""
    found = _liquidity_events(count).get(log.topics[0])
    if found is None:
        return None
    sign, dynamic = found
    words = [unsigned_word(log.data, index) for index in range(len(log.data) // 32)]
    starts = (words[0] // 32 + 1, words[1] // 32 + 1) if dynamic else (0, count)
    amounts, fees = (tuple(words[start : start + count]) for start in starts)
    # NG's lists are empty where no fee was taken
    return LiquidityChange(tuple(sign * amount for amount in amounts), fees if len(fees) == count else ())


@cache
def _liquidity_events(count: int) -> dict[bytes, tuple[int, bool]]:
    """Return, by topic, whether the amounts come (1) or leave (-1), and whether the lists carry a length."""
    found = {}
    for length, dynamic in ((str(count), False), ("", True)):
        amounts = f"uint256[{length}],uint256[{length}]"
        for name, sign, numbers in (
            ("AddLiquidity", 1, "uint256,uint256"),
            ("RemoveLiquidityImbalance", -1, "uint256,uint256"),
            ("RemoveLiquidity", -1, "uint256"),
        ):
            event = Event(f"{name}(address,{amounts},{numbers})", ("address",), ())
            found[event.topic] = sign, dynamic
    return found
