"""Several relays as one way for what must stay private, and how each of them has done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Final

from onchain_exec.chain.relays.bundle import Bundle, PrivateTx, SharedBundle
from onchain_exec.chain.relays.relay import Relay
from onchain_exec.chain.rpc import Delivery
from onchain_exec.chain.transport import AsyncClosing
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import ConfigError, NodeError, NodeRefusedError

_FAILURES: Final = 3
_REST_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Record:
    """What one relay has done since the start. ``acknowledged`` counts answers without an error, which
    prove nothing; ``included`` what the chain then showed of those, whoever built the block. ``failures``
    are in a row: no usable answer."""

    acknowledged: int = 0
    refused: int = 0
    failures: int = 0
    included: int = 0
    latency_s: float = 0.0

    @property
    def included_share(self) -> float:
        """Of what it acknowledged, what was included."""
        return self.included / self.acknowledged if self.acknowledged else 0.0


@dataclass(slots=True)
class _Standing:
    record: Record = field(default_factory=Record)
    rests_until: float = 0.0
    promised: set[str] = field(default_factory=set)


class Relays(AsyncClosing):
    """Hands the same to every relay, once each. One that failed three times in a row is left out for half a
    minute, unless that would leave none. ``clock`` counts seconds.

    Raises:
        ConfigError: no relay, or two of one name.
    """

    def __init__(self, relays: Sequence[Relay], clock: Callable[[], float] = time.monotonic) -> None:
        names = {relay.name for relay in relays}
        if not names or len(names) < len(relays):
            raise ConfigError("relays without names of their own", needed="one relay or more, named apart")
        self._relays, self._clock = tuple(relays), clock
        self._standings = {relay.name: _Standing() for relay in relays}

    @property
    def records(self) -> dict[str, Record]:
        """How each has done, by name."""
        return {name: standing.record for name, standing in self._standings.items()}

    async def send_bundle(self, bundle: Bundle) -> tuple[Delivery, ...]:
        """Hand a bundle to every relay; return what each said. The reply is the bundle's hash, or empty."""
        return await self._ask_each(lambda relay: relay.send_bundle(bundle), bundle.transactions)

    async def send_shared(self, bundle: SharedBundle) -> tuple[Delivery, ...]:
        """Hand a bundle for MEV-Share to every relay; return what each said, as `send_bundle` does."""
        raws = [item for item in bundle.body if isinstance(item, bytes)]
        return await self._ask_each(lambda relay: relay.send_shared(bundle), raws)

    async def cancel_bundle(self, replacement_id: str) -> tuple[Delivery, ...]:
        """Ask every relay to forget the bundles of that id: also those that rest, which may hold it."""

        async def cancel(relay: Relay) -> str:
            await relay.cancel_bundle(replacement_id)
            return ""

        return await self._ask_each(cancel, rested=False)

    async def send_private(self, tx: PrivateTx) -> tuple[Delivery, ...]:
        """Hand a private transaction to every relay; return what each said."""

        async def send(relay: Relay) -> str:
            return await relay.send_private(tx) or _get_hash(tx.raw)  # some acknowledge with nothing at all

        return await self._ask_each(send, (tx.raw,))

    async def send_raw(self, raw: bytes) -> tuple[Delivery, ...]:
        """Hand signed bytes over as a private transaction; see `send_private`."""
        return await self.send_private(PrivateTx(raw))

    async def cancel_private(self, tx_hash: str) -> tuple[Delivery, ...]:
        """Ask every relay to forget a private transaction. It may be mined all the same."""

        async def cancel(relay: Relay) -> str:
            return tx_hash if await relay.cancel_private(tx_hash) else ""

        return await self._ask_each(cancel, rested=False)

    def note_included(self, tx_hash: str) -> None:
        """Count a transaction that the chain shows, for each relay that had acknowledged it, or a bundle of
        it: once, however often it was offered."""
        for standing in self._standings.values():
            if tx_hash in standing.promised:
                standing.promised.discard(tx_hash)
                standing.record = replace(standing.record, included=standing.record.included + 1)

    async def close(self) -> None:
        """Release the connections."""
        async with AsyncExitStack() as resources:  # which goes on where this is cancelled
            for relay in self._relays:
                resources.push_async_callback(relay.close)

    async def _ask_each(
        self, ask: Callable[[Relay], Awaitable[str]], raws: Sequence[bytes] = (), *, rested: bool = True
    ) -> tuple[Delivery, ...]:
        """Ask side by side; what is acknowledged of ``raws`` is held to."""
        now = self._clock()
        awake = [relay for relay in self._relays if self._standings[relay.name].rests_until <= now]
        asked = awake if rested and awake else self._relays
        said = tuple(await asyncio.gather(*(self._ask(relay, ask) for relay in asked)))
        for delivery in said:
            if isinstance(delivery.reply, str):
                self._standings[delivery.where].promised.update(map(_get_hash, raws))
        return said

    async def _ask(self, relay: Relay, ask: Callable[[Relay], Awaitable[str]]) -> Delivery:
        standing, started = self._standings[relay.name], self._clock()
        try:
            reply: str | NodeError = await ask(relay)
        except NodeError as error:
            reply = error
        record = replace(standing.record, latency_s=self._clock() - started)
        match reply:
            case str():
                standing.record = replace(record, acknowledged=record.acknowledged + 1, failures=0)
            case NodeRefusedError():
                standing.record = replace(record, refused=record.refused + 1, failures=0)
            case _:
                standing.record = replace(record, failures=record.failures + 1)
                if standing.record.failures >= _FAILURES:
                    standing.rests_until = self._clock() + _REST_S
        return Delivery(relay.name, reply)


def _get_hash(raw: bytes) -> str:
    return "0x" + keccak(raw).hex()
