"""New heads, one after another, with every reorg named and no block or log left out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from onchain_exec.chain.decode import Header
from onchain_exec.chain.node import LogFilter, Node
from onchain_exec.core import BlockRef, Log
from onchain_exec.errors import BlockNotFoundError, StateError

KEPT_BLOCKS: Final = 512
"""How deep a reorg may be: the deepest on a main chain was 157 blocks (Polygon, February 2023)."""

_MANY: Final = 4
"""Missing blocks from which on a batch is sooner than a walk by parent hashes."""


@dataclass(frozen=True, slots=True)
class HeadEvent:
    """One step of the chain. ``orphaned`` blocks (newest first) left it, ``added`` ones (oldest
    first) joined it; ``logs`` are the wanted ones of the added blocks, in the chain's order.

    Events follow one another without a gap: undo ``orphaned``, then apply ``added``.
    """

    orphaned: tuple[BlockRef, ...]
    added: tuple[BlockRef, ...]
    logs: tuple[Log, ...]

    @property
    def head(self) -> BlockRef:
        """The newest block."""
        return self.added[-1]


class Wake(Protocol):
    """What tells that a new head may be there. It may lie or be silent: the node is asked anyway."""

    async def wait(self, timeout_s: float) -> bool:
        """Return True at the first sign of a new head, False after ``timeout_s`` without one."""
        ...

    def report_missed_head(self) -> None:
        """Take note that a head came without a sign."""
        ...


class Poll:
    """No signs at all: the node is asked at each interval."""

    async def wait(self, timeout_s: float) -> bool:
        """Wait it out."""
        await asyncio.sleep(timeout_s)
        return False

    def report_missed_head(self) -> None:
        """Every head comes without a sign."""


class HeadFollower:
    """An endless async iterator of `HeadEvent`s, from the block after ``told``.

    A node's error is raised and changes nothing: ask again to go on, without a gap. A head below
    the newest seen (a lagging replica) is passed over until it grows beyond it.
    """

    def __init__(
        self,
        node: Node,
        told: BlockRef,
        *,
        logs: LogFilter | None = None,
        wake: Wake | None = None,
        poll_s: float = 1.0,
    ) -> None:
        self._node, self._wanted = node, logs
        self._wake, self._poll_s = wake or Poll(), poll_s
        self._chain = [told]

    @classmethod
    async def start(
        cls, node: Node, *, logs: LogFilter | None = None, wake: Wake | None = None, poll_s: float = 1.0
    ) -> Self:
        """Return a follower that begins after the present head, its `head`."""
        return cls(node, await node.get_block(), logs=logs, wake=wake, poll_s=poll_s)

    @property
    def head(self) -> BlockRef:
        """The newest block told so far."""
        return self._chain[-1]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> HeadEvent:
        """Wait for the next event.

        Raises:
            StateError: a reorg goes deeper than the blocks that are kept.
            NodeError: the node failed.
        """
        signed = True  # the first look is nobody's miss
        while True:
            event = await self._find_event()
            if event:
                if not signed:
                    self._wake.report_missed_head()
                return event
            signed = await self._wake.wait(self._poll_s)

    async def _find_event(self) -> HeadEvent | None:
        """Return the step from the newest block told to the node's head, None if there is none yet."""
        try:
            branch = await self._find_branch(await self._node.get_header())
            if not branch:
                return None
            added = tuple(header.block for header in branch)
            logs = await self._get_logs(added)
        except BlockNotFoundError:
            return None  # a reorg is under way: the next look sees its end
        kept = self._find_place(branch[0].parent_hash) + 1
        event = HeadEvent(tuple(reversed(self._chain[kept:])), added, logs)
        self._chain = [*self._chain[:kept], *added][-KEPT_BLOCKS:]
        return event

    async def _find_branch(self, newest: Header) -> list[Header]:
        """Return the headers from the first block not told to ``newest``, oldest first."""
        if self._find_place(newest.block.hash) >= 0:
            return []
        fetched = await self._fetch_gap(newest.block.number)
        branch = [newest]
        while self._find_place(branch[-1].parent_hash) < 0:
            if branch[-1].block.number <= self._chain[0].number:
                raise StateError(
                    f"a reorg below {self._chain[0]}",
                    needed=f"a common block among the last {KEPT_BLOCKS} told",
                    todo="Read all state anew and start another follower",
                )
            parent_hash = branch[-1].parent_hash
            branch.append(fetched.get(parent_hash) or await self._node.get_header(parent_hash))
        return branch[::-1]

    async def _fetch_gap(self, newest: int) -> Mapping[str, Header]:
        """Return the blocks between the newest told and the head, by hash: what the walk back will
        need, in few batches, unless a reorg is under way."""
        heights = range(self.head.number + 1, newest)
        if len(heights) < _MANY:
            return {}
        return {header.block.hash: header for header in await self._node.get_headers(heights) if header}

    def _find_place(self, block_hash: str) -> int:
        """Return the index in the chain told, or -1; the newest are looked at first."""
        places = range(len(self._chain) - 1, -1, -1)
        return next((place for place in places if self._chain[place].hash == block_hash), -1)

    async def _get_logs(self, blocks: Sequence[BlockRef]) -> tuple[Log, ...]:
        if self._wanted is None:
            return ()
        # By hash, block by block: a range could mix two branches or miss the newest block's.
        return await self._node.get_logs_of(self._wanted, blocks)
