"""A chain's `Rpc` whose private bytes go to relays, and to nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onchain_exec.chain.relays.bundle import PrivateTx
from onchain_exec.chain.relays.relays import Relays
from onchain_exec.chain.rpc import Broadcaster, Delivery, Rpc, deliver
from onchain_exec.chain.transport import AsyncClosing
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.core.hashing import keccak


class PrivateSends(AsyncClosing):
    """An `Rpc` and `Broadcaster`: everything as ``rpc`` does it, but private bytes go to ``relays`` as
    private transactions. There is no way from one to the other: where all relays fail, the bytes were sent
    to nobody else, and what to do then is decided above."""

    def __init__(self, rpc: Rpc, relays: Relays) -> None:
        self._rpc, self._relays = rpc, relays

    @property
    def where(self) -> str:
        """As of `Rpc.where`."""
        return self._rpc.where

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """As of `Rpc.request`."""
        return await self._rpc.request(method, params)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """As of `Rpc.batch`."""
        return await self._rpc.batch(requests)

    async def broadcast(self, raw: bytes, *, private: bool = False) -> tuple[Delivery, ...]:
        """As of `Broadcaster.broadcast`."""
        if private:
            return await self._relays.send_private(PrivateTx(raw), "0x" + keccak(raw).hex())
        if isinstance(self._rpc, Broadcaster):
            return await self._rpc.broadcast(raw)
        return (await deliver(self._rpc, raw),)

    async def close(self) -> None:
        """Release the connections of both."""
        await self._relays.close()
        await self._rpc.close()
