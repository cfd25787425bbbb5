"""Telling of orphaned logs: to subscribers at once, to filters when they ask next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onchain_exec.testing.lying_node.exchange import Call
from onchain_exec.testing.lying_node.mempool.chain import AnvilChain
from onchain_exec.testing.lying_node.sockets import Sockets

_NEW_ONLY = ("fromBlock", "toBlock")


class RemovedLogs:
    """Finds the logs that a reorg removes, for each filter and subscription."""

    def __init__(self, chain: AnvilChain, sockets: Sockets) -> None:
        self._chain, self._sockets = chain, sockets
        self._filters: dict[str, Mapping[str, Any]] = {}
        self._untold: dict[str, list[dict[str, Any]]] = {}

    def watch(self, filter_id: str, wanted: Mapping[str, Any]) -> None:
        """Keep removed logs for a filter of ``eth_newFilter``."""
        self._filters[filter_id] = wanted

    def take(self, filter_id: str) -> list[dict[str, Any]]:
        """Return what was removed since the last time, once."""
        return self._untold.pop(filter_id, [])

    async def publish(self, blocks: Sequence[str]) -> None:
        """Tell of the logs of blocks that are about to be orphaned, oldest first, as geth does."""
        for subscription in self._sockets.find("logs"):
            for log in await self._find(subscription.wanted, blocks):
                subscription.socket.publish(subscription.subscription_id, log)
        for filter_id, wanted in self._filters.items():
            self._untold.setdefault(filter_id, []).extend(await self._find(wanted, blocks))

    async def _find(self, wanted: Mapping[str, Any], blocks: Sequence[str]) -> list[dict[str, Any]]:
        what = {name: value for name, value in wanted.items() if name not in _NEW_ONLY}
        found = await self._chain.batch(
            [Call("eth_getLogs", [what | {"blockHash": block}]) for block in blocks]
        )
        return [log | {"removed": True} for logs in found for log in logs]
