"""The pools that a book's orders can be matched with, found once and read anew each turn."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from onchain_exec.app.path.context import Context
from onchain_exec.app.path.market import list_pairs
from onchain_exec.app.path.routers import list_executable
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.clearing.settle import SettleOrder
from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Token, all_of
from onchain_exec.oms import SWAPS, list_paused_venues
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.pool_reads import read_pool_again


class SolverMarket:
    """The pools of all pairs that were ever asked for. A pool that is made after its pair was looked at is
    found by the next process."""

    def __init__(self) -> None:
        self._tokens: dict[Address, Token] = {}
        self._seen: set[frozenset[Token]] = set()
        self._pools: dict[str, tuple[str, Pool]] = {}  # by key, with the protocol

    async def read(self, context: Context, orders: Iterable[SettleOrder], block: BlockRef) -> PoolSet:
        """Return the pools that trade the orders' tokens, directly or over a listed one in between, at
        ``block``; none of a paused venue, and none at all while swaps are paused. The solver's contract holds
        no native coin, so pools of it are left out.

        Raises:
            UnknownTokenError, TokenRefusedError: an order's token cannot be used.
            NodeError: the node fails.
        """
        paused = list_paused_venues(context.journal.read_switches())
        if SWAPS in paused:
            return PoolSet(block, ())
        pairs = await self._list_pairs(context, orders, block)
        near = {
            key: (name, pool)
            for key, (name, pool) in self._pools.items()
            if name not in paused and any(frozenset(two) in pairs for two in combinations(pool.tokens, 2))
        }
        fresh = await context.node.perform(
            all_of([read_pool_again(pool) for _, pool in near.values()]), block
        )
        read = {pool.key: (near[pool.key][0], pool) for pool in fresh}
        new = [pair for names, pair in pairs.items() if names not in self._seen]
        for name in list_executable(context.profile) if new else ():
            found = await find_pools(context.node, context.profile, new, block, (name,))
            read |= {pool.key: (name, pool) for pool in found if not _is_native(pool)}
        self._seen |= pairs.keys()
        self._pools |= read
        return PoolSet(block, tuple(pool for name, pool in read.values() if name not in paused))

    async def _list_pairs(
        self, context: Context, orders: Iterable[SettleOrder], block: BlockRef
    ) -> dict[frozenset[Token], tuple[Token, Token]]:
        wanted = dict.fromkeys((order.token_in, order.token_out) for order in orders)
        listed = {token.address: token for token in context.profile.tokens.values()}
        named = list(dict.fromkeys(token for pair in wanted for token in pair))
        read = await context.node.perform(read_tokens(named, listed | self._tokens), block)
        self._tokens |= dict(zip(named, read, strict=True))
        return {
            frozenset(pair): pair
            for sold, bought in wanted
            for pair in list_pairs(context.profile, self._tokens[sold], self._tokens[bought])
        }


def _is_native(pool: Pool) -> bool:
    return any(token.address == ZERO_ADDRESS for token in pool.tokens)
