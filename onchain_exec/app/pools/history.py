"""Pools along the chain: events applied block by block, and taken back when blocks are orphaned."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, TypeAlias, TypeGuard

from onchain_exec.core import Address, BlockRef, Log
from onchain_exec.errors import StaleStateError
from onchain_exec.venues import Pool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool

FollowedPool: TypeAlias = UniswapV2Pool | UniswapV3Pool | UniswapV4Pool
"""A pool whose events tell all of its state."""

_FOLLOWED: Final = (UniswapV2Pool, UniswapV3Pool, UniswapV4Pool)


def is_followed(pool: Pool) -> TypeGuard[FollowedPool]:
    """Return whether events tell all of the pool's state. Rates and ramps move without one."""
    return isinstance(pool, _FOLLOWED)


class PoolHistory:
    """The newest state of followed pools by key, and what undoes the last ``depth`` blocks.

    ``lost`` are pools whose state is not known: their events do not fit, or a reorg went behind the
    block in which they were last read. `put` finds them again; until then they stay as they were.
    """

    def __init__(self, pools: Iterable[FollowedPool], depth: int) -> None:
        self.pools = {pool.key: pool for pool in pools}
        self.lost: dict[str, str] = {}
        self._depth = depth
        self._keys = {_get_source(pool): pool.key for pool in self.pools.values()}
        self._undo: OrderedDict[str, dict[str, FollowedPool]] = OrderedDict()
        self._read_at: dict[str, int] = {}

    def apply(self, block: BlockRef, logs: Iterable[Log]) -> None:
        """Go on by one block; ``logs`` are of this block, in its order. Other contracts' are passed over."""
        before: dict[str, FollowedPool] = {}
        for log in logs:
            key = self._keys.get((log.address, b"".join(log.topics[1:2]))) or self._keys.get(
                (log.address, b"")
            )
            if key is None or key in self.lost:
                continue
            pool = self.pools[key]
            try:
                self.pools[key] = pool.apply(log)
            except StaleStateError as error:
                self.lost[key] = str(error)
            before.setdefault(key, pool)
        self._undo[block.hash] = before
        if len(self._undo) > self._depth:
            self._undo.popitem(last=False)

    def undo(self, block: BlockRef) -> None:
        """Go back by one block: the newest that was applied."""
        self.pools.update(self._undo.pop(block.hash))
        for key, number in list(self._read_at.items()):
            if number >= block.number:
                self.lost[key] = f"{block} was orphaned, in or before which it was read"

    def put(self, block: BlockRef, pool: FollowedPool) -> bool:
        """Take a pool as read at ``block``, the newest; return whether that is what was followed."""
        if self.lost.pop(pool.key, None) is None and self.pools[pool.key] == pool:
            return True
        self.pools[pool.key] = pool
        self._read_at[pool.key] = block.number
        return False


def _get_source(pool: FollowedPool) -> tuple[Address, bytes]:
    """Return who emits a pool's events and, in a singleton, their second topic."""
    return pool.address, pool.pool_key.pool_id if isinstance(pool, UniswapV4Pool) else b""
