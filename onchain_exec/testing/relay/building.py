"""Blocks on anvil out of what a relay holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from onchain_exec.chain import CallResult, Node, SimulatedBlock, TxCall
from onchain_exec.core import Address, BlockRef
from onchain_exec.errors import InputError, NodeRefusedError
from onchain_exec.testing.lying_node import PoolTx
from onchain_exec.testing.relay.orders import BundleOrder

_BLOCK_TIME_S: Final = 12


class Builder:
    """Mines on an anvil that mines nothing by itself, and orders its pool by arrival (``--no-mining``,
    ``--order fifo``): what waits in its pool comes first, then each order's transactions in a row."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def try_out(self, transactions: Sequence[PoolTx], base: BlockRef) -> tuple[CallResult, ...]:
        """Return what the transactions do one after another on top of a block, with nonces, fees and funds
        checked.

        Raises:
            InputError: one of them has another nonce than its sender's next.
            NodeRefusedError: one cannot be in that block at all.
        """
        await self._require_next_nonces(transactions, base)
        block = SimulatedBlock(tuple(map(_as_call, transactions)), timestamp=base.timestamp + _BLOCK_TIME_S)
        (results,) = await self._node.simulate([block], base, validation=True)
        return results

    async def build(self, orders: Iterable[BundleOrder]) -> BlockRef:
        """Mine one block with every order that can be in it as it asks, behind those before it; return it."""
        head, inside = await self._node.get_block(), list[PoolTx]()
        number, timestamp = head.number + 1, head.timestamp + _BLOCK_TIME_S
        for order in orders:
            if order.fits(number, timestamp) and await self._can_stand(order, inside, head):
                inside += order.transactions
        for tx in inside:
            await self._put_last(tx)
        await self._ask("evm_setNextBlockTimestamp", timestamp)
        await self._ask("evm_mine")
        return await self._node.get_block()

    async def leak(self, tx: PoolTx) -> None:
        """Put a transaction into the public pool, unless it is there already."""
        with suppress(NodeRefusedError):
            await self._ask("eth_sendRawTransaction", "0x" + tx.raw.hex())

    async def _can_stand(self, order: BundleOrder, inside: Sequence[PoolTx], head: BlockRef) -> bool:
        for address, slot, value in order.slots:
            if int(await self._ask("eth_getStorageAt", address, slot, "latest"), 16) != int(value, 16):
                return False
        try:
            results = await self.try_out((*inside, *order.transactions), head)
        except (InputError, NodeRefusedError):
            return False
        return all(
            result.success or tx.tx_hash in order.may_revert
            for tx, result in zip(order.transactions, results[len(inside) :], strict=True)
        )

    async def _require_next_nonces(self, transactions: Sequence[PoolTx], base: BlockRef) -> None:
        """anvil's simulation takes any nonce."""
        expected: dict[Address, int] = {}
        for tx in transactions:
            if tx.sender not in expected:
                expected[tx.sender] = await self._node.get_nonce(tx.sender, base)
            if tx.nonce != expected[tx.sender]:
                word = "low" if tx.nonce < expected[tx.sender] else "high"
                raise InputError(f"nonce too {word}", needed=f"nonce {expected[tx.sender]} of {tx.sender}")
            expected[tx.sender] += 1

    async def _put_last(self, tx: PoolTx) -> None:
        await self._ask("anvil_dropTransaction", tx.tx_hash)  # a public one that a bundle stands around
        await self._ask("eth_sendRawTransaction", "0x" + tx.raw.hex())

    async def _ask(self, method: str, *params: Any) -> Any:
        return await self._node.rpc.request(method, params)


def _as_call(tx: PoolTx) -> TxCall:
    return TxCall(
        sender=tx.sender,
        to=tx.to,
        data=tx.data,
        value_wei=tx.value_wei,
        gas_limit=tx.gas_limit,
        max_fee_wei=tx.fee_cap_wei,
        max_priority_fee_wei=tx.tip_cap_wei,
        nonce=tx.nonce,
    )
