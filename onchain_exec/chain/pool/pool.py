"""Several endpoints of one chain as one `Rpc`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from typing import Any, assert_never

from onchain_exec.chain.pool.delivery import Courier
from onchain_exec.chain.pool.endpoint import Role
from onchain_exec.chain.pool.member import Member
from onchain_exec.chain.pool.policy import PoolPolicy
from onchain_exec.chain.pool.reads import Reader
from onchain_exec.chain.pool.survey import Surveyor
from onchain_exec.chain.pool.targets import Kind, Target, find_target
from onchain_exec.chain.relays import Relay, Relays
from onchain_exec.chain.rpc import Delivery, HasUrls
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import ConfigError, NodeRefusedError


class EndpointPool:
    """An `Rpc` over several endpoints; `Node` works on it as on one.

    ``latest`` is the newest block that enough endpoints have (`PoolPolicy.witnesses`): a lagging
    endpoint, one on a fork and one of another chain cannot tell it. A read pinned by hash goes only
    to endpoints that have the block, first to the one that answered for it before. Reads are given
    to a second endpoint when the first is slow or fails; sends are not, each goes once to every
    endpoint that takes them.

    It adds to the errors of `Rpc.request` NodesDisagreeError, and BlockNotFoundError where no
    endpoint has a pinned block. ``chain_id`` None takes what most endpoints serve. ``wall_clock``
    gives unix seconds. ``relays`` are those among the private endpoints, None if there are none.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        chain_id: int | None = None,
        policy: PoolPolicy | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._members = tuple(members)
        readers = [member for member in members if Role.READ in member.roles]
        if not readers:
            raise ConfigError("no endpoint has the read role", needed="one at least")
        policy = policy or PoolPolicy()
        self._first = readers[0]
        self._survey = Surveyor(readers, chain_id, policy, wall_clock)
        self._reader = Reader(self._survey, policy)
        self._courier = Courier(self._members)
        self.relays = _gather_relays(self._members)

    def __repr__(self) -> str:
        return f"EndpointPool({list(self._members)!r})"

    @property
    def where(self) -> str:
        """Scheme and host of each endpoint."""
        return ", ".join(member.where for member in self._members)

    @property
    def members(self) -> tuple[Member, ...]:
        """The endpoints, with what is known of each."""
        return self._members

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Return the result of one request; see `Rpc.request`."""
        (reply,) = await self.batch([(method, params)])
        if isinstance(reply, NodeRefusedError):
            raise reply
        return reply

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """Return the replies in the requests' order; those of one block come from one endpoint."""
        groups: dict[Target, list[int]] = {}
        for index, request in enumerate(requests):
            groups.setdefault(self._reader.get_group(find_target(request)), []).append(index)
        replies: dict[int, Reply] = {}
        for target, indexes in groups.items():
            found = await self._answer(target, [requests[index] for index in indexes])
            replies |= zip(indexes, found, strict=True)
        return tuple(replies[index] for index in range(len(requests)))

    @property
    def takes_private(self) -> bool:
        """Whether there is an endpoint for private bytes."""
        return any(Role.PRIVATE in member.roles for member in self._members)

    async def broadcast(
        self, raw: bytes, *, private: bool = False, only: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        """Hand signed bytes to every endpoint that takes them; see `Broadcaster.broadcast`."""
        return await self._courier.broadcast(raw, Role.PRIVATE if private else Role.SEND, only)

    async def find_urls(self, block_hash: str) -> tuple[str, ...]:
        """Return the URLs of the HTTP endpoints that have the block; see `HasUrls.find_urls`."""
        members = await self._reader.find_members(Target(Kind.READ, block_hash), 1)
        found = [
            await member.rpc.find_urls(block_hash) for member in members if isinstance(member.rpc, HasUrls)
        ]
        return tuple(url for urls in found for url in urls)

    async def close(self) -> None:
        """End what is under way and release the connections."""
        async with AsyncExitStack() as resources:  # which goes on where this is cancelled
            for member in self._members:
                resources.push_async_callback(member.rpc.close)
            resources.push_async_callback(self._courier.close)
            resources.push_async_callback(self._survey.close)

    async def _answer(self, target: Target, requests: Sequence[Request]) -> tuple[Reply, ...]:
        match target.kind:
            case Kind.CHAIN_ID:
                return (await self._get_chain_id(),) * len(requests)
            case Kind.HEAD:
                return await self._read_head(requests)
            case Kind.READ | Kind.VIEW:
                return await self._reader.read(target, requests)
            case Kind.LOOKUP:
                return tuple([await self._reader.look_up(request) for request in requests])
            case Kind.SEND:
                return tuple([await self._courier.send(*params) for _, params in requests])
            case Kind.ONCE:
                return await self._first.ask(requests)
            case never:
                assert_never(never)

    async def _get_chain_id(self) -> str:
        """Return the chain id that an endpoint confirmed at the last look."""
        if not self._survey.get_alive():
            await self._survey.look()
        return hex(self._survey.chain_id or 0)

    async def _read_head(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        found = await self._survey.look()
        replies: list[Reply] = []
        for method, params in requests:
            if method == "eth_blockNumber":
                replies.append(hex(found.number))
            elif len(params) > 1 and params[1]:
                replies.append(await self.request("eth_getBlockByHash", (found.hash, True)))
            else:
                replies.append(found.shown)
        return tuple(replies)


def _gather_relays(members: Sequence[Member]) -> Relays | None:
    """Two relays of one host get names apart."""
    found = [member.rpc for member in members if isinstance(member.rpc, Relay)]
    for place, relay in enumerate(found):
        if any(relay.name == other.name for other in found[:place]):
            relay.name = f"{relay.name} ({place + 1})"
    return Relays(found) if found else None
