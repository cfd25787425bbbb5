"""One endpoint of a pool: every request to it is paced, timed, and told to its health."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from onchain_exec.chain.decode import decode_result, optional, to_int
from onchain_exec.chain.pool.endpoint import PUBLIC_ROLES, EndpointLimits, Role
from onchain_exec.chain.pool.health import EndpointState, Health, Signal
from onchain_exec.chain.pool.pace import Latency, TokenBucket
from onchain_exec.chain.pool.views import View
from onchain_exec.chain.rpc import Rpc
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import NodeRefusedError, NodeUnreachableError, RateLimitedError

T = TypeVar("T")
FIRST_PATIENCE_S: Final = 3.0
"""Before any answer: a distant endpoint's first needs a name, a connection and a handshake."""


class Member:
    """An `Rpc` with what is known of it. Times are those of the running loop's clock."""

    def __init__(
        self, rpc: Rpc, roles: Iterable[Role] = PUBLIC_ROLES, limits: EndpointLimits | None = None
    ) -> None:
        limits = limits or EndpointLimits()
        self.rpc, self.roles = rpc, frozenset(roles)
        self.health, self.latency = Health(), Latency()
        self.bucket = TokenBucket(limits.requests_per_s)
        self._least_patience_s = limits.patience_s

    def __repr__(self) -> str:
        return f"Member({self.where!r}, {self.health.state.value})"

    @property
    def where(self) -> str:
        """Scheme and host."""
        return self.rpc.where

    @property
    def is_usable(self) -> bool:
        """Whether it can do what it is there for, as far as is known: what only sends is not asked."""
        answers = (EndpointState.ALIVE, EndpointState.BEHIND)
        return Role.READ not in self.roles or self.health.state in answers

    @property
    def summary(self) -> str:
        """What is known of it, for people."""
        roles = ", ".join(sorted(role.value for role in self.roles))
        if Role.READ not in self.roles:
            return f"{roles}, not asked"
        known = f"{roles}, {self.health.state.value}"
        if self.health.head_number >= 0:
            known += f", block {self.health.head_number}"
        return f"{known}, {1_000 * self.latency.mean_s:.0f} ms" if self.latency else known

    @property
    def patience_s(self) -> float:
        """How long its answer is waited for where others are there too."""
        least = self._least_patience_s
        return max(2 * self.latency.get_quantile(0.9), least) if self.latency else FIRST_PATIENCE_S

    def is_due(self) -> bool:
        """Return whether it may be asked now."""
        return self.health.is_due(_now())

    def note(self, signal: Signal, wait_s: float | None = None) -> None:
        """Change its health."""
        self.health = self.health.after(signal, _now(), wait_s)

    async def ask(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """Return the replies of a batch, as soon as its limit allows it; see `Rpc.batch`."""
        if wait := self.bucket.take(len(requests), _now()):
            await asyncio.sleep(wait)
        return await self._measure(lambda: self.rpc.batch(requests))

    async def send(self, raw: str) -> str:
        """Hand it signed bytes, at once and once, and return the hash it names."""
        self.bucket.take(1, _now())
        found = await self._measure(lambda: self.rpc.request("eth_sendRawTransaction", (raw,)))
        return decode_result(str.lower, found, "eth_sendRawTransaction", self.where)

    async def report(self) -> View:
        """Return its chain id and head.

        Raises:
            NodeError: it gives no such answer; its health knows.
        """
        requests = (("eth_chainId", ()), ("eth_getBlockByNumber", ("latest", False)))
        chain_id, head = await self._require(requests)
        return self._decode(lambda found: View(self.where, to_int(chain_id), found), head)

    async def fill(self, view: View, heights: Iterable[int]) -> None:
        """Add its blocks at these heights to its view, as far as it has them."""
        wanted = sorted(h for h in heights if h <= view.height and view.hashes.get(h) not in view.shown)
        if not wanted:
            return
        for block in await self._require([("eth_getBlockByNumber", (hex(h), False)) for h in wanted]):
            self._decode(optional(view.add), block)

    async def _require(self, requests: Sequence[Request]) -> tuple[Any, ...]:
        """Return the results; to refuse these requests is to fail."""
        try:
            replies = await self.ask(requests)
            if refusal := next((reply for reply in replies if isinstance(reply, NodeRefusedError)), None):
                raise refusal
        except NodeRefusedError:
            self.note(Signal.FAILED)
            raise
        return replies

    def _decode(self, decode: Callable[[Any], T], block: Any) -> T:
        try:
            return decode_result(decode, block, "eth_getBlockByNumber", self.where)
        except NodeUnreachableError:
            self.note(Signal.FAILED)
            raise

    async def _measure(self, ask: Callable[[], Awaitable[T]]) -> T:
        begun = _now()
        try:
            replies = await ask()
        except RateLimitedError as error:
            self.note(Signal.LIMITED, error.retry_after_s)
            raise
        except NodeUnreachableError:
            self.note(Signal.FAILED)
            raise
        except asyncio.CancelledError:
            # Outrun or given up: it would have taken longer, so that its turn comes later.
            self.latency.add(2 * (_now() - begun))
            raise
        self.latency.add(_now() - begun)
        return replies


def _now() -> float:
    return asyncio.get_running_loop().time()
