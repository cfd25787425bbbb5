"""A look at the heads of all endpoints: which block is the newest that counts, and who has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from onchain_exec.chain.decode import to_int
from onchain_exec.chain.pool.health import EndpointState, Signal
from onchain_exec.chain.pool.member import Member
from onchain_exec.chain.pool.policy import PoolPolicy
from onchain_exec.chain.pool.views import View, Witnessed, find_unclear, judge
from onchain_exec.errors import (
    BlockNotFoundError,
    NodeError,
    NodesDisagreeError,
    NodeUnreachableError,
    RateLimitedError,
    WrongChainError,
)

_KEPT_BLOCKS: Final = 512
_Answered: TypeAlias = list[tuple[Member, View]]


class Surveyor:
    """Looks at all endpoints that read, and remembers the blocks that counted.

    ``chain_id`` None is settled by the first look: what most of the endpoints serve.
    """

    def __init__(
        self,
        members: Sequence[Member],
        chain_id: int | None,
        policy: PoolPolicy,
        wall_clock: Callable[[], float],
    ) -> None:
        self.chain_id = chain_id
        self.looked_at = float("-inf")
        self._members, self._policy, self._wall_clock = members, policy, wall_clock
        self._witnesses = policy.get_witnesses(len(members))
        self._told: dict[int, str] = {}
        self._heights: dict[str, int] = {}
        self._probes: set[asyncio.Task[View | None]] = set()

    async def look(self) -> Witnessed:
        """Return the newest block that counts; every endpoint's health has learnt from it.

        Raises:
            NodesDisagreeError: no block has enough witnesses, or only one older than was told before.
            BlockNotFoundError: the newest block is older than the policy allows.
            NodeUnreachableError, RateLimitedError, WrongChainError: no endpoint of the chain answers.
        """
        answered = await self._get_views()
        ours = self._drop_foreign(answered)
        if not ours:
            raise self._explain(answered)
        try:
            found = await self._judge(ours)
            self._require_newer(found, ours)
        except NodeError:
            for member, _ in ours:  # whoever is right: none of them answers reads until that is settled
                member.note(Signal.LAGS)
            raise
        for (member, view), signal in zip(ours, found.signals, strict=True):
            member.note(signal)
            member.health = member.health.at_head(view.height)
        self._remember(found)
        return found

    @property
    def newest(self) -> int:
        """The height of the newest block told; -1 before any."""
        return max(self._told, default=-1)

    def is_told(self, block_hash: str) -> bool:
        """Return whether a block was the newest at some look."""
        return block_hash in self._heights

    def get_alive(self, block_hash: str = "") -> list[Member]:
        """Return the endpoints that answer reads now; of a block that was told, those that have it."""
        number = self._heights.get(block_hash, 0)
        return [
            member
            for member in self._members
            if member.health.state is EndpointState.ALIVE and member.health.head_number >= number
        ]

    def get_outage(self) -> NodeError:
        """Return why no endpoint can be used."""
        told = ", ".join(f"{member.where} is {member.health.state.value}" for member in self._members)
        limited = [m.health for m in self._members if m.health.state is EndpointState.RATE_LIMITED]
        if limited and len(limited) == len(self._members):
            now = asyncio.get_running_loop().time()
            wait_s = max(min(health.retry_at for health in limited) - now, 0.0)
            return RateLimitedError(told, retry_after_s=wait_s)
        return NodeUnreachableError(
            f"no endpoint can be used: {told}",
            needed="one that is alive",
            todo="Check that the nodes run and the URLs are right, or add another endpoint",
        )

    async def close(self) -> None:
        """End the probes under way."""
        loop = asyncio.get_running_loop()
        probes = [probe for probe in self._probes if probe.get_loop() is loop]
        for probe in probes:
            probe.cancel()
        await asyncio.gather(*probes, return_exceptions=True)

    async def _get_views(self) -> _Answered:
        """Ask all that may be asked; wait for those that can be expected to answer, and for the
        others too where those are too few."""
        due = [member for member in self._members if member.is_due()]
        expected = [member for member in due if member.health.is_answering]
        if len(expected) < self._witnesses:
            expected = due
        probes = {member: self._probe(member) for member in due if member not in expected}
        alone = len(due) == 1  # then nobody answers instead of it, and its own time limit is the only one
        views = await asyncio.gather(
            *(self._wait_for(member, None if alone else member.patience_s) for member in expected)
        )
        answered = [(member, view) for member, view in zip(expected, views, strict=True) if view]
        if len(answered) < self._witnesses and probes:
            await asyncio.wait(probes.values(), timeout=min(member.patience_s for member in probes))
            heard = [(member, probe.result()) for member, probe in probes.items() if probe.done()]
            answered += [(member, view) for member, view in heard if view]
        return answered

    async def _wait_for(self, member: Member, patience_s: float | None) -> View | None:
        try:
            async with asyncio.timeout(patience_s):
                return await member.report()
        except TimeoutError:
            member.note(Signal.FAILED)
        except NodeError:
            pass  # its health knows
        return None

    def _probe(self, member: Member) -> asyncio.Task[View | None]:
        probe = asyncio.create_task(self._hear(member))
        self._probes.add(probe)
        probe.add_done_callback(self._probes.discard)
        return probe

    async def _hear(self, member: Member) -> View | None:
        try:
            view = await member.report()
        except NodeError:
            return None  # its health knows
        member.note(Signal.HEARD)
        return view

    def _drop_foreign(self, answered: _Answered) -> _Answered:
        if self.chain_id is None and answered:
            ids = [view.chain_id for _, view in answered]
            likeliest = max(ids, key=ids.count)
            if 2 * ids.count(likeliest) <= len(ids):
                said = tuple((view.where, f"chain {view.chain_id}") for _, view in answered)
                raise NodesDisagreeError(said, "one chain id of most endpoints")
            self.chain_id = likeliest
        for member, view in answered:
            if view.chain_id != self.chain_id:
                member.note(Signal.OTHER_CHAIN)
        return [(member, view) for member, view in answered if view.chain_id == self.chain_id]

    def _explain(self, answered: _Answered) -> NodeError:
        if answered and self.chain_id is not None:
            member, view = answered[0]
            return WrongChainError(view.chain_id, self.chain_id, member.where)
        return self.get_outage()

    async def _judge(self, ours: _Answered) -> Witnessed:
        views, max_lag = [view for _, view in ours], self._policy.max_lag_blocks
        if heights := find_unclear(views, self._witnesses, max_lag):
            await asyncio.gather(*(self._fill(member, view, heights) for member, view in ours))
        return judge(views, self._witnesses, max_lag)

    async def _fill(self, member: Member, view: View, heights: Iterable[int]) -> None:
        try:
            async with asyncio.timeout(member.patience_s):
                await member.fill(view, heights)
        except (TimeoutError, NodeError):
            pass  # what it does not tell counts against it

    def _require_newer(self, found: Witnessed, ours: _Answered) -> None:
        """Raise unless the block is as new as those told before, and as the policy wants it."""
        # Lower is older, unless another block stands at that height: a reorg to a shorter chain.
        if found.number < self.newest and self._told.get(found.number, found.hash) == found.hash:
            raise NodesDisagreeError(
                tuple((view.where, str(view)) for _, view in ours),
                f"block {self.newest}, which was told before",
            )
        max_age_s = self._policy.max_head_age_s
        age_s = self._wall_clock() - to_int(found.shown["timestamp"])
        if max_age_s is not None and age_s > max_age_s:
            raise BlockNotFoundError(
                f"the newest block that the endpoints have, {found.number}, is {age_s:.0f} s old",
                needed=f"one at most {max_age_s:g} s old",
                todo="Wait until the nodes have caught up, or add another endpoint",
            )

    def _remember(self, found: Witnessed) -> None:
        self.looked_at = asyncio.get_running_loop().time()
        self._told = {number: told for number, told in self._told.items() if number < found.number}
        self._told[found.number] = found.hash
        self._heights[found.hash] = found.number
        for number in list(self._told)[:-_KEPT_BLOCKS]:
            del self._told[number]
        for block_hash in list(self._heights)[:-_KEPT_BLOCKS]:
            del self._heights[block_hash]
