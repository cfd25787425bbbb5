"""Pools that follow the chain: after each new head, the state of all of them at it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Self

from onchain_exec.app.pools.history import PoolHistory
from onchain_exec.chain import HeadEvent, HeadFollower, LogFilter, Node
from onchain_exec.chain.heads.follower import KEPT_BLOCKS, Wake
from onchain_exec.core import BlockRef, all_of
from onchain_exec.errors import BlockNotFoundError, StateError
from onchain_exec.venues import Pool, PoolSet, is_followed
from onchain_exec.venues.pool_reads import read_pool_again

CHECK_BLOCKS: Final = 200
"""How often everything is read anew and compared: a hook or a fork may change what no event tells."""


class Cause(enum.Enum):
    """Why pools were read again."""

    STALE = "their events did not fit, or a reorg went behind their last reading"
    MISMATCH = "a fresh read differs from what was followed"
    GAP = "the chain was lost: a reorg beyond what is kept"


@dataclass(frozen=True, slots=True)
class PoolsReread:
    """What was followed did not hold: the pools of these keys were read again at ``block``."""

    cause: Cause
    block: BlockRef
    keys: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Following:
    """How pools follow. ``observe`` is told of every read that was not planned."""

    observe: Callable[[PoolsReread], None] = lambda reread: None
    check_blocks: int = CHECK_BLOCKS
    poll_s: float = 1.0
    wake: Wake | None = None


class LivePools:
    """An endless async iterator of `PoolSet`s, one after each step of the chain, from `start` on.

    Pools follow by their events, in order, and back through reorgs, where these tell all of the state.
    The others (a rate, a ramp or a fee moves without an event) are read at each head, in one batch. A node's
    error is raised and changes nothing: ask again to go on.
    """

    def __init__(self, node: Node, pools: PoolSet, following: Following | None = None) -> None:
        self._node, self._how = node, following or Following()
        self._restart(pools)

    @property
    def pools(self) -> PoolSet:
        """The pools at the newest head that was told, in the order they were given."""
        return PoolSet(self._block, tuple(self._history.pools.get(p.key) or p for p in self._given))

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PoolSet:
        """Wait for the next step of the chain and return the pools after it.

        Raises:
            NodeError: the node failed.
            StateError, InputError: a pool is no longer what it was, or cannot be quoted any more.
        """
        if self._current:
            await self._step()
        while not self._current:
            try:
                await self._read_again()
            except BlockNotFoundError:
                await self._step()  # the head has left the chain, which the follower is about to tell
        return self.pools

    def _restart(self, pools: PoolSet) -> None:
        self._given, self._block, self._current = pools.pools, pools.block, True
        self._checked = pools.block.number
        self._history = PoolHistory(filter(is_followed, pools.pools), KEPT_BLOCKS)
        emitters = tuple({source[0] for pool in self._history.pools.values() for source in pool.sources})
        self._follower = HeadFollower(
            self._node,
            pools.block,
            logs=LogFilter(emitters) if emitters else None,
            wake=self._how.wake,
            poll_s=self._how.poll_s,
        )

    async def _step(self) -> None:
        self._current = False
        try:
            event = await anext(self._follower)
        except StateError as error:
            await self._read_all(error)
            return
        self._apply(event)

    def _apply(self, event: HeadEvent) -> None:
        for block in event.orphaned:
            self._history.undo(block)
        logs = {name: tuple(found) for name, found in groupby(event.logs, key=lambda log: log.block_hash)}
        for block in event.added:
            self._history.apply(block, logs.get(block.hash, ()))
        self._block = event.head

    async def _read_again(self) -> None:
        """Read what events do not tell, what was lost, and at times everything, at the head."""
        history, block = self._history, self._block
        due = abs(block.number - self._checked) >= self._how.check_blocks
        wanted = [
            history.pools.get(pool.key) or pool
            for pool in self._given
            if due or pool.key not in history.pools or pool.key in history.lost
        ]
        lost = dict(history.lost)
        fresh: tuple[Pool, ...] = await self._node.perform(all_of([*map(read_pool_again, wanted)]), block)
        replaced = [p.key for p in fresh if p.key in history.pools and not history.put(block, p)]
        by_key = {pool.key: pool for pool in fresh}
        self._given = tuple(by_key.get(pool.key, pool) for pool in self._given)
        self._current = True
        if due:
            self._checked = block.number
        self._tell(Cause.STALE, [key for key in replaced if key in lost], "; ".join(lost.values()))
        self._tell(Cause.MISMATCH, [key for key in replaced if key not in lost])

    async def _read_all(self, error: StateError) -> None:
        block = await self._node.get_block()
        fresh = await self._node.perform(all_of([*map(read_pool_again, self.pools.pools)]), block)
        self._restart(PoolSet(block, fresh))
        self._tell(Cause.GAP, (pool.key for pool in fresh), str(error))

    def _tell(self, cause: Cause, keys: Iterable[str], reason: str = "") -> None:
        if found := tuple(keys):
            self._how.observe(PoolsReread(cause, self._block, found, reason))
