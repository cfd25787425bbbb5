"""The mempool of geth in front of anvil, as a mode of the lying node."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, TypeVar

from onchain_exec.errors import ConfigError, NodeRefusedError
from onchain_exec.testing.lying_node.exchange import Answer, Call, Refusal, Result
from onchain_exec.testing.lying_node.mempool.chain import AnvilChain
from onchain_exec.testing.lying_node.mempool.core import Mempool
from onchain_exec.testing.lying_node.mempool.face import Face
from onchain_exec.testing.lying_node.mempool.pool import Pool
from onchain_exec.testing.lying_node.mempool.rules import Limits
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx
from onchain_exec.testing.lying_node.sockets import Sockets
from onchain_exec.testing.lying_node.upstream import Upstream

T = TypeVar("T")
_TIMEOUT_S: Final = 60.0


class MempoolModel:
    """Holds pending transactions by geth's rules and gives anvil only what a block's builder includes.

    It differs from anvil where geth does: a replacement needs 10 % more on both fees (100 % with
    blobs); a transaction under the base fee waits, and stays when the base fee rises; the pool has
    limits; what a reorg orphans comes back, and subscribers hear of it by ``removed: true``; there is
    a fee cap; a delegated account has one transaction in flight; and the words are geth's.

    Given to `LyingNode.start` it stands behind the rules, so that faults and pool combine:

        model = MempoolModel()
        with LocalChain.start(extra=("--order", "fifo")) as chain, LyingNode.start(
            chain.url, mempool=model
        ) as node:
            ...                     # send to node.url
            model.mine()            # the next block
            model.reorg(1)          # and it never happened: its transactions wait again

    Without ``--order fifo`` a block has the right transactions in anvil's order. With ``automine``
    each send that is taken mines a block. ``now`` is the clock of the queue's lifetime, in seconds.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        automine: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._automine, self._now = limits or Limits(), automine, now
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, upstream: Upstream, sockets: Sockets) -> None:
        """Stand between a proxy and its node; called by the proxy, in its loop."""
        sockets.silenced = frozenset({"newPendingTransactions"})
        self._upstream = upstream
        self._mempool = Mempool(self._limits, AnvilChain(upstream), sockets, self._now)
        self._face = Face(self._mempool, automine=self._automine)
        self._loop = asyncio.get_running_loop()

    async def detach(self) -> None:
        """Finish what is under way; called by the proxy before it closes."""
        await self._mempool.settle()
        self._loop = None

    async def ask(self, call: Call) -> Answer:
        """Return geth's answer to one call; what does not touch the pool is anvil's to answer."""
        handler = self._face.handlers.get(call.method)
        if handler is None:
            return await self._upstream.ask(call)
        try:
            answer = await handler(call)
        except NodeRefusedError as error:
            return Refusal(error.rpc_code, error.rpc_message, error.rpc_data)
        return answer if isinstance(answer, Refusal) else Result(answer)

    async def ask_all(self, calls: Sequence[Call]) -> list[Answer]:
        """Return the answers to a batch, in its order."""
        if not any(call.method in self._face.handlers for call in calls):
            return await self._upstream.ask_all(calls)
        return [await self.ask(call) for call in calls]

    def mine(self, blocks: int = 1) -> None:
        """Build blocks of what is pending: the highest tips first, the base fee respected."""
        self._run(lambda: self._mempool.mine(blocks))

    def set_base_fee(self, base_fee_wei: int) -> None:
        """Set the next block's base fee; what offers less waits."""
        self._run(lambda: self._mempool.chain.request("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei)))

    def reorg(self, depth: int, *, drop: Iterable[str] = (), reinclude: Sequence[str | bytes] = ()) -> None:
        """Replace the newest ``depth`` blocks by as many.

        ``reinclude`` is what the first new block holds, in its order: hashes of orphaned or pending
        transactions, or raw transactions, a stranger's for example. The orphaned ones that it leaves
        out return to the pool, except those in ``drop``, which vanish. Subscribers to logs hear of
        the orphaned ones before the new ones.

        Raises:
            InputError: the chain is not that long, or a hash is not known.
        """
        lost = {tx_hash.lower() for tx_hash in drop}
        self._run(lambda: self._mempool.reorg(depth, lost, reinclude))

    def drop(self, tx_hash: str) -> None:
        """Forget a waiting transaction, as a node does under load."""
        self._run(lambda: self._mempool.drop(tx_hash))

    def get_pending(self) -> tuple[PoolTx, ...]:
        """Return what is executable, each account's in the order of its nonces."""
        return self._list(Pool.get_pending)

    def get_queued(self) -> tuple[PoolTx, ...]:
        """Return what waits behind a gap."""
        return self._list(Pool.get_queued)

    def _list(self, part: Callable[[Pool, Any], list[PoolTx]]) -> tuple[PoolTx, ...]:
        async def work() -> tuple[PoolTx, ...]:
            pool = await self._mempool.follow()
            return tuple(tx for sender in pool.senders for tx in part(pool, sender))

        return self._run(work)

    def _run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._loop is None:
            raise ConfigError("the model is not in use", needed="LyingNode.start(url, mempool=model)")
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(_TIMEOUT_S)
