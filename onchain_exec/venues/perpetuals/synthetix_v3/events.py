"""What settled orders did, out of the market's events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address, Log
from onchain_exec.core.abi import Event

_SETTLED: Final = Event(
    "OrderSettled(uint128,uint128,uint256,int256,int256,int128,int128,uint256,uint256,uint256,uint256,bytes32,"
    "address)",
    ("uint128", "uint128", "bytes32"),
    (
        "uint256", "int256", "int256", "int128", "int128", "uint256", "uint256", "uint256", "uint256",
        "address",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SynthetixFill:
    """An order settled, all in 1e18: the size it changed the position by and to, the fill price, what the
    position had gained until then, funding among it, and the fee with the keeper's reward in it."""

    market: int
    account: int
    fill_price: int
    gained: int
    funding: int
    size: int
    new_size: int
    fee: int
    keeper_reward: int
    tracking_code: bytes


def find_settled(proxy: Address, logs: Iterable[Log]) -> tuple[SynthetixFill, ...]:
    """Return the orders that a transaction settled.

    Raises:
        InputError: a log of the market is malformed.
    """
    return tuple(_decode(log) for log in logs if log.address == proxy and log.topics[:1] == (_SETTLED.topic,))


def _decode(log: Log) -> SynthetixFill:
    (market, account, tracking_code), values = _SETTLED.decode(log.topics, log.data)
    fill_price, gained, funding, size, new_size, fee, _, _, reward, _ = values
    return SynthetixFill(
        market, account, fill_price, gained, funding, size, new_size, fee, reward, tracking_code
    )
