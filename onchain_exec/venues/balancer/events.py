"""What the Vault and a pool of it tell: balances that moved, fees and terms that changed."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address, Log, to_address
from onchain_exec.core.abi import Event
from onchain_exec.venues.words import signed_word, unsigned_word

SWAP: Final = Event(
    "Swap(bytes32,address,address,uint256,uint256)",
    ("bytes32", "address", "address"),
    ("uint256", "uint256"),
)
BALANCE_CHANGED: Final = Event(
    "PoolBalanceChanged(bytes32,address,address[],int256[],uint256[])",
    ("bytes32", "address"),
    ("address[]", "int256[]", "uint256[]"),
)
BALANCE_MANAGED: Final = Event(
    "PoolBalanceManaged(bytes32,address,address,int256,int256)",
    ("bytes32", "address", "address"),
    ("int256", "int256"),
)
FEE_CHANGED: Final = Event("SwapFeePercentageChanged(uint256)", (), ("uint256",))
_RENEWED: Final = frozenset(
    Event(signature, (), ()).topic
    for signature in (
        "AmpUpdateStarted(uint256,uint256,uint256,uint256)",
        "AmpUpdateStopped(uint256)",
        "PausedStateChanged(bool)",
        "PriceRateCacheUpdated(address,uint256)",
        "PriceRateProviderSet(address,address,uint256)",
        "TokenRateCacheUpdated(uint256,uint256)",
        "TokenRateProviderSet(uint256,address,uint256)",
    )
)


def list_balance_changes(log: Log) -> list[tuple[Address, int]]:
    """Return what the pool's balances in the Vault changed by, with a log of the Vault for this pool.

    A join or exit tells what the provider gave, before the protocol's fees leave the pool.
    """
    topic, data = log.topics[0], log.data
    if topic == SWAP.topic:
        return [
            (to_address(log.topics[2][12:]), unsigned_word(data)),
            (to_address(log.topics[3][12:]), -unsigned_word(data, 1)),
        ]
    if topic == BALANCE_CHANGED.topic:
        _, (tokens, deltas, fees) = BALANCE_CHANGED.decode(log.topics, data)
        changes = zip(tokens, deltas, fees, strict=True)
        return [(to_address(token), delta - fee) for token, delta, fee in changes]
    if topic == BALANCE_MANAGED.topic:
        return [(to_address(log.topics[3][12:]), signed_word(data) + signed_word(data, 1))]
    return []


def renews_terms(log: Log) -> bool:
    """Return whether a log of the pool itself tells of other rates, another ramp, or a pause."""
    return log.topics[0] in _RENEWED
