"""What the events of a v3 pool do to its curve."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Log
from onchain_exec.core.abi import Event
from onchain_exec.venues.concentrated import Curve
from onchain_exec.venues.words import signed_word, unsigned_word

INITIALIZE: Final = Event("Initialize(uint160,int24)", (), ("uint160", "int24"))
SWAP: Final = Event(
    "Swap(address,address,int256,int256,uint160,uint128,int24)",
    ("address", "address"),
    ("int256", "int256", "uint160", "uint128", "int24"),
)
PANCAKE_SWAP: Final = Event(
    "Swap(address,address,int256,int256,uint160,uint128,int24,uint128,uint128)",
    ("address", "address"),
    ("int256", "int256", "uint160", "uint128", "int24", "uint128", "uint128"),
)
MINT: Final = Event(
    "Mint(address,address,int24,int24,uint128,uint256,uint256)",
    ("address", "int24", "int24"),
    ("address", "uint128", "uint256", "uint256"),
)
BURN: Final = Event(
    "Burn(address,int24,int24,uint128,uint256,uint256)",
    ("address", "int24", "int24"),
    ("uint128", "uint256", "uint256"),
)


def apply_event(curve: Curve, log: Log) -> Curve:
    """Return the curve after a log of its pool; events that move no price or liquidity change nothing."""
    topic, data = log.topics[0], log.data
    if topic in (SWAP.topic, PANCAKE_SWAP.topic):
        return curve.moved_to(unsigned_word(data, 2), signed_word(data, 4), unsigned_word(data, 3))
    if topic == MINT.topic:
        return curve.with_liquidity(
            signed_word(log.topics[2]), signed_word(log.topics[3]), unsigned_word(data, 1)
        )
    if topic == BURN.topic:
        return curve.with_liquidity(
            signed_word(log.topics[2]), signed_word(log.topics[3]), -unsigned_word(data)
        )
    if topic == INITIALIZE.topic:
        return curve.moved_to(unsigned_word(data), signed_word(data, 1), 0)
    return curve


def decode_swap(log: Log) -> tuple[int, int] | None:
    """Return (amount0, amount1) of a ``Swap`` log: what the pool got, negative where it gave."""
    if log.topics[0] not in (SWAP.topic, PANCAKE_SWAP.topic):
        return None
    return signed_word(log.data), signed_word(log.data, 1)
