"""Reads of a pool: each goes to an endpoint that has the block it names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from onchain_exec.chain.pool.asking import QUORUM_METHODS, Replies, ask_hedged, ask_quorum
from onchain_exec.chain.pool.member import Member
from onchain_exec.chain.pool.policy import PoolPolicy
from onchain_exec.chain.pool.survey import Surveyor
from onchain_exec.chain.pool.targets import Kind, Target
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import NodeError

_KEPT_HOMES: Final = 256
_ANY_BLOCK: Final = Target(Kind.READ, "0x")


class Reader:
    """Chooses among the endpoints that are alive, and remembers who answered for which block."""

    def __init__(self, survey: Surveyor, policy: PoolPolicy) -> None:
        self._survey, self._policy = survey, policy
        self._homes: dict[str, Member] = {}

    def get_group(self, target: Target) -> Target:
        """Return under which target a read may be asked together with others: what names a block that
        nobody answered for yet, and that was not told as the newest, may go to any endpoint."""
        is_bound = target.pin in self._homes or self._survey.is_told(target.block_hash)
        return target if target.kind is not Kind.READ or target.moves or is_bound else _ANY_BLOCK

    async def read(self, target: Target, requests: Sequence[Request]) -> Replies:
        """Return the replies to reads that name one block."""
        members = await self.find_members(target, len(requests))
        needed = self._policy.agreeing
        if needed > 1 and all(method in QUORUM_METHODS for method, _ in requests):
            pinned = [_pin(request, self._survey.newest) for request in requests]
            return tuple([await ask_quorum(members, request, needed) for request in pinned])
        if target.by_number and (target.kind is Kind.VIEW or target.pin in self._homes):
            return await self._read_at_home(target, requests, members)
        home = self._homes.get(target.pin)
        members.sort(key=lambda member: member is not home)
        home, replies = await ask_hedged(members, requests, self._policy)
        if target.block_hash:
            self._set_home(target, home)
        return replies

    async def look_up(self, request: Request) -> Reply:
        """Return a transaction or receipt of whichever endpoint knows it; none knows it if all say so."""
        members = await self.find_members(Target(Kind.LOOKUP), 1)
        if self._policy.agreeing > 1 and request[0] in QUORUM_METHODS:
            return await ask_quorum(members, request, self._policy.agreeing)
        _, (reply,) = await ask_hedged(members, [request], self._policy)
        if reply is not None:
            return reply
        others = await asyncio.gather(*(_try(member, request) for member in members))
        return next((other for other in others if other is not None), None)

    async def _read_at_home(
        self, target: Target, requests: Sequence[Request], members: Sequence[Member]
    ) -> Replies:
        """Let one endpoint answer for a height: when it fails, what it said is worth nothing."""
        home = self._homes.get(target.pin, members[0])
        self._set_home(target, home)
        try:
            return await home.ask(requests)
        except NodeError:
            del self._homes[target.pin]
            raise

    async def find_members(self, target: Target, count: int) -> list[Member]:
        """Return the endpoints that may answer, the best first; all heads are looked at where what is
        known is too old.

        Raises:
            NodeError: there is none.
        """
        now = asyncio.get_running_loop().time()
        if target.moves and now - self._survey.looked_at > self._policy.view_ttl_s:
            await self._survey.look()
        members = self._survey.get_alive(target.block_hash)
        if not members:
            await self._survey.look()
            members = self._survey.get_alive(target.block_hash)
        if not members:
            raise self._survey.get_outage()
        return sorted(members, key=lambda member: (member.bucket.get_wait(count, now), member.latency.mean_s))

    def _set_home(self, target: Target, home: Member) -> None:
        self._homes[target.pin] = home
        if len(self._homes) > _KEPT_HOMES:
            del self._homes[next(iter(self._homes))]


async def _try(member: Member, request: Request) -> Reply:
    try:
        async with asyncio.timeout(member.patience_s):
            (reply,) = await member.ask([request])
    except (TimeoutError, NodeError):
        return None
    return None if isinstance(reply, NodeError) else reply


def _pin(request: Request, newest: int) -> Request:
    """Name the height where the newest block is meant: two endpoints' newest may differ."""
    method, params = request
    if method == "eth_getLogs" and "blockHash" not in params[0]:
        ends = {"fromBlock": "latest", "toBlock": "latest"} | params[0]
        return method, ({name: hex(newest) if end == "latest" else end for name, end in ends.items()},)
    if method in ("eth_getLogs", "eth_getTransactionReceipt") or (len(params) > 1 and params[1] != "latest"):
        return request
    return method, (params[0], hex(newest))
