"""The pools that a book's orders can be matched with, found once and read anew each turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from onchain_exec.app.context import Context
from onchain_exec.app.market import list_pairs
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.app.routers import list_executable
from onchain_exec.clearing.settle import SettleOrder
from onchain_exec.core import ZERO_ADDRESS, Address, BlockRef, Token, all_of
from onchain_exec.oms import list_paused_venues
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.pool_reads import read_pool_again


class SolverMarket:
    """The pools of all pairs that were ever asked for. A pool that is made after its pair was looked at is
    found by the next process."""

    def __init__(self) -> None:
        self._tokens: dict[Address, Token] = {}
        self._seen: set[frozenset[Token]] = set()
        self._pools: dict[str, Pool] = {}

    async def read(self, context: Context, orders: Sequence[SettleOrder], block: BlockRef) -> PoolSet:
        """Return the pools that trade the orders' tokens, directly or over a listed one in between, at
        ``block``. The solver's contract holds no native coin, so pools of it are left out.

        Raises:
            UnknownTokenError, TokenRefusedError: an order's token cannot be used.
            NodeError: the node fails.
        """
        known = await context.node.perform(all_of([*map(read_pool_again, self._pools.values())]), block)
        self._pools = {pool.key: pool for pool in known}
        if new := await self._list_new_pairs(context, orders, block):
            protocols = list_executable(context.profile)
            found = await find_pools(context.node, context.profile, new, block, protocols)
            self._pools |= {pool.key: pool for pool in found if not _is_native(pool)}
            self._seen |= set(map(frozenset, new))
        paused = list_paused_venues(context.journal.read_switches())
        return PoolSet(block, tuple(pool for pool in self._pools.values() if pool.kind not in paused))

    async def _list_new_pairs(
        self, context: Context, orders: Iterable[SettleOrder], block: BlockRef
    ) -> list[tuple[Token, Token]]:
        wanted = dict.fromkeys((order.token_in, order.token_out) for order in orders)
        listed = {token.address: token for token in context.profile.tokens.values()}
        named = list(dict.fromkeys(token for pair in wanted for token in pair))
        read = await context.node.perform(read_tokens(named, listed | self._tokens), block)
        self._tokens |= dict(zip(named, read, strict=True))
        pairs: dict[frozenset[Token], tuple[Token, Token]] = {}
        for sold, bought in wanted:
            for pair in list_pairs(context.profile, self._tokens[sold], self._tokens[bought]):
                pairs.setdefault(frozenset(pair), pair)
        return [pair for names, pair in pairs.items() if names not in self._seen]


def _is_native(pool: Pool) -> bool:
    return any(token.address == ZERO_ADDRESS for token in pool.tokens)
