"""The pool and the chain below it, kept in step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from onchain_exec.core import to_address
from onchain_exec.errors import InputError
from onchain_exec.testing.lying_node.exchange import Refusal
from onchain_exec.testing.lying_node.mempool.builder import select
from onchain_exec.testing.lying_node.mempool.chain import AnvilChain
from onchain_exec.testing.lying_node.mempool.pool import Pool
from onchain_exec.testing.lying_node.mempool.removed_logs import RemovedLogs
from onchain_exec.testing.lying_node.mempool.rules import Limits
from onchain_exec.testing.lying_node.mempool.transaction import PoolTx, decode_transaction
from onchain_exec.testing.lying_node.sockets import Sockets


class Mempool:
    """What the model does, inside the proxy's loop. One operation at a time."""

    def __init__(self, limits: Limits, chain: AnvilChain, sockets: Sockets, now: Callable[[], float]) -> None:
        self.pool = Pool(limits)
        self.chain = chain
        self.removed = RemovedLogs(chain, sockets)
        self._sockets, self._now = sockets, now
        self._lock = asyncio.Lock()
        self._head = ""

    async def follow(self) -> Pool:
        """Return the pool as it is at the newest block, whoever mined that."""
        async with self._lock:
            return await self._follow()

    async def settle(self) -> None:
        """Wait for the operation that is under way: anvil must not be left in the middle of a block."""
        async with self._lock:
            return

    async def send(self, tx: PoolTx, *, mine: bool) -> Refusal | None:
        """Take a transaction, or return why not; with ``mine`` a block follows at once."""
        async with self._lock:
            await self._follow()
            refusal = await self._add(tx)
            if refusal is None and mine:
                await self._build()
            return refusal

    async def mine(self, blocks: int) -> None:
        """Build blocks."""
        async with self._lock:
            for _ in range(blocks):
                await self._build()

    async def drop(self, tx_hash: str) -> None:
        """Forget a transaction."""
        async with self._lock:
            self.pool.drop(tx_hash)

    async def reorg(self, depth: int, drop: set[str], reinclude: Sequence[str | bytes]) -> None:
        """See `MempoolModel.reorg`."""
        async with self._lock:
            await self._follow()
            height = int(await self.chain.request("eth_blockNumber"), 16)
            if not 0 < depth <= height:
                raise InputError(f"a reorg of {depth} blocks at height {height}", needed=f"1 to {height}")
            blocks, orphans = await self.chain.read_orphans(depth)
            included = [self._find_raw(named, orphans) for named in reinclude]
            await self.removed.publish(blocks)
            await self.chain.reorg(depth, included)
            await self._follow()
            for orphan in orphans:
                if orphan["hash"] not in drop and orphan["raw"] not in included:
                    await self._return(orphan)

    async def _follow(self) -> Pool:
        block_hash, self._next = await self.chain.read_head()
        self.pool.evict(self._now())
        if block_hash != self._head:
            self._head = block_hash
            self.pool.reset(await self.chain.read_accounts(self.pool.senders), self._next)
        return self.pool

    async def _add(self, tx: PoolTx) -> Refusal | None:
        account = (await self.chain.read_accounts([tx.sender]))[tx.sender]
        before = {own.tx_hash for own in self.pool.get_pending(tx.sender)}
        refusal = self.pool.add(tx, account, self._next, self._now())
        for own in self.pool.get_pending(tx.sender):
            if own.tx_hash not in before:
                self._announce(own)
        return refusal

    def _announce(self, tx: PoolTx) -> None:
        for subscription in self._sockets.find("newPendingTransactions"):
            told = tx.to_json() if subscription.wanted is True else tx.tx_hash
            subscription.socket.publish(subscription.subscription_id, told)

    async def _build(self) -> None:
        await self._follow()
        # read anew, since a balance can be set without a block
        self.pool.reset(await self.chain.read_accounts(self.pool.senders), self._next)
        chosen = select(self.pool, self._next.base_fee_wei, self._next.gas_limit)
        await self.chain.mine([tx.raw for tx in chosen])
        await self._follow()

    async def _return(self, orphan: Mapping[str, Any]) -> None:
        """Put an orphaned transaction back; not one that anvil signed for an account it plays."""
        tx = decode_transaction(bytes.fromhex(orphan["raw"][2:]))
        if tx.sender == to_address(orphan["from"]):
            await self._add(tx)

    def _find_raw(self, named: str | bytes, orphans: Sequence[Mapping[str, Any]]) -> str:
        if isinstance(named, bytes):
            return "0x" + named.hex()
        known = {tx.tx_hash: "0x" + tx.raw.hex() for tx in self.pool}
        known |= {orphan["hash"]: orphan["raw"] for orphan in orphans}
        if named.lower() not in known:
            raise InputError(
                f"{named} is neither orphaned nor pending", needed="the hash of one that is, or raw bytes"
            )
        return known[named.lower()]
