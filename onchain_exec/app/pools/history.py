"""Pools along the chain: events applied block by block, and taken back when blocks are orphaned."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from onchain_exec.core import BlockRef, Log
from onchain_exec.errors import StaleStateError
from onchain_exec.venues import FollowedPool, Pool, is_followed
from onchain_exec.venues.curve import CurvePool


class PoolHistory:
    """The newest state of followed pools by key, and what undoes the last ``depth`` blocks.

    ``lost`` are pools whose state is not known: their events do not fit, or a reorg went behind the
    block in which they were last read. `put` finds them again; until then they stay as they were.
    """

    def __init__(self, pools: Iterable[FollowedPool], depth: int) -> None:
        self.pools = {pool.key: pool for pool in pools}
        self.lost: dict[str, str] = {}
        self._depth = depth
        self._keys = {source: pool.key for pool in self.pools.values() for source in pool.sources}
        self._undo: OrderedDict[str, dict[str, FollowedPool]] = OrderedDict()
        self._read_at: dict[str, int] = {}

    def apply(self, block: BlockRef, logs: Iterable[Log]) -> None:
        """Go on by one block; ``logs`` are of this block, in its order. Other contracts' are passed over."""
        timed = {key: pool for key, pool in self.pools.items() if isinstance(pool, CurvePool)}
        self.pools |= {key: pool.at(block.timestamp) for key, pool in timed.items()}
        before: dict[str, FollowedPool] = {**timed}
        for log in logs:
            source = log.address, b"".join(log.topics[1:2])
            key = self._keys.get(source) or self._keys.get((log.address, b""), "")
            pool = self.pools.get(key)
            if pool is None or key in self.lost:
                continue
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
        undone = self._undo.pop(block.hash)
        self.pools.update({key: pool for key, pool in undone.items() if key in self.pools})
        for key, number in list(self._read_at.items()):
            if number >= block.number:
                self.lost[key] = f"{block} was orphaned, in or before which it was read"

    def put(self, block: BlockRef, pool: Pool) -> bool:
        """Take a pool as read at ``block``, the newest; return whether that is what was followed.

        One that events no longer tell is let go.
        """
        if self.lost.pop(pool.key, None) is None and self.pools[pool.key] == pool:
            return True
        del self.pools[pool.key]
        if is_followed(pool):
            self.pools[pool.key] = pool
            self._read_at[pool.key] = block.number
        return False
