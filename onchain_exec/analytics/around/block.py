"""A block as the watch sees it: its transactions in their order, and what each did in the pools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Log, to_address
from onchain_exec.venues import Pool, PoolFill
from onchain_exec.venues.erc20 import DEPOSIT, TRANSFER, WITHDRAWAL, get_balance_changes

_MOVES: Final = frozenset({TRANSFER.topic, DEPOSIT.topic, WITHDRAWAL.topic})


@dataclass(frozen=True, slots=True)
class BlockTx:
    """A mined transaction at its place in the block, with its logs in their order."""

    index: int
    tx_hash: str
    sender: Address
    to: Address | None
    value_wei: int
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class PoolSwap:
    """One swap that a pool told of."""

    tx: BlockTx
    pool_key: str
    fill: PoolFill


def list_swaps(pools: Mapping[str, Pool], tx: BlockTx) -> tuple[PoolSwap, ...]:
    """Return what a transaction swapped in these pools, in the order it ran."""
    return tuple(
        PoolSwap(tx, key, fill)
        for log in tx.logs
        for key, pool in pools.items()
        if (fill := pool.decode_fill(log)) is not None
    )


def find_parties(tx: BlockTx) -> frozenset[Address]:
    """Return on whose account a transaction was: its sender, and whoever ended it with another balance
    of any token but the contracts that told of something themselves (pools, vaults), and nobody."""
    holders = {
        to_address(word[12:])
        for log in tx.logs
        if log.topics[:1] == (TRANSFER.topic,)
        for word in log.topics[1:3]
    }
    machines = {log.address for log in tx.logs if not _MOVES.intersection(log.topics[:1])}
    changed = {holder for holder in holders - machines if get_balance_changes(tx.logs, holder)}
    return frozenset({tx.sender, *changed} - {ZERO_ADDRESS})


class Actors:
    """Who acts together in a block: parties of the same transaction are one actor, and so on from one to
    the next. Our own account is nobody's accomplice."""

    def __init__(self, txs: Iterable[BlockTx], own: Address) -> None:
        self._leaders: dict[Address, Address] = {}
        for tx in txs:
            for party in find_parties(tx) - {own}:
                self._leaders[self._find(party)] = self._find(tx.sender)

    def get_actor(self, tx: BlockTx) -> Address:
        """Return the address that stands for whoever made a transaction."""
        return self._find(tx.sender)

    def _find(self, address: Address) -> Address:
        while (leader := self._leaders.get(address, address)) != address:
            address = leader
        return address
