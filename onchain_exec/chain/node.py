"""One chain as the decisions see it: blocks, and reads that are pinned to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, TypeVar

from onchain_exec.chain.decode import decode_block
from onchain_exec.chain.dialects import get_revert_data, is_block_missing, is_eip1898_unknown
from onchain_exec.chain.rpc import HttpRpc, Rpc
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.core import Answer, BlockRef, Call, Reading, Snapshot
from onchain_exec.errors import BlockNotFoundError, NodeRefusedError, WrongChainError

T = TypeVar("T")


class Node:
    """Reads of one chain over an `Rpc`. Made by `connect`, which checks the chain id."""

    def __init__(self, rpc: Rpc, chain_id: int) -> None:
        self.rpc, self.chain_id = rpc, chain_id
        self._pins_by_hash = True

    def __repr__(self) -> str:
        return f"Node({self.rpc.where!r}, chain_id={self.chain_id})"

    @classmethod
    async def connect(cls, rpc: str | Rpc, chain_id: int | None = None) -> Self:
        """Return a node after asking for its chain id.

        Raises:
            WrongChainError: it serves another chain than ``chain_id``.
        """
        endpoint = HttpRpc(rpc) if isinstance(rpc, str) else rpc
        try:
            found = int(await endpoint.request("eth_chainId"), 16)
        except BaseException:
            await endpoint.close()
            raise
        if chain_id is not None and found != chain_id:
            await endpoint.close()
            raise WrongChainError(found, chain_id, endpoint.where)
        return cls(endpoint, found)

    async def close(self) -> None:
        """Release the connections."""
        await self.rpc.close()

    async def get_block(self, block: int | str = "latest") -> BlockRef:
        """Return a block by number, tag (``latest``, ``safe``, ``finalized``) or 0x hash.

        Raises:
            BlockNotFoundError: the node has no such block.
        """
        by_hash = isinstance(block, str) and block.startswith("0x")
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        named = hex(block) if isinstance(block, int) else block
        found = await self.rpc.request(method, (named, False))
        if found is None:
            raise _block_missing(self.rpc.where, f"block {block}")
        return decode_block(self.chain_id, found)

    async def read_calls(self, calls: Sequence[Call], block: BlockRef) -> Snapshot:
        """Return the answers of ``calls`` at exactly ``block``.

        A call that reverts, or halts, is an `Answer` without success. Pinned by block hash
        (EIP-1898); where the node does not know that, by number, and the hash is compared after.

        Raises:
            BlockNotFoundError: the node lacks the block or its state, or a reorg dropped it.
            NodeRefusedError: the node refused a call for another reason than the call itself.
        """
        if self._pins_by_hash:
            pin = {"blockHash": block.hash, "requireCanonical": True}
            replies = await self.rpc.batch([_eth_call(call, pin) for call in calls])
            if not any(
                isinstance(reply, NodeRefusedError) and is_eip1898_unknown(reply) for reply in replies
            ):
                return self._snapshot(block, replies)
            self._pins_by_hash = False
        replies = await self.rpc.batch([_eth_call(call, hex(block.number)) for call in calls])
        await self.require_canonical(block)
        return self._snapshot(block, replies)

    async def perform(self, reading: Reading[T], block: BlockRef) -> T:
        """Return the result of a described reading, every round of it at ``block``."""
        try:
            calls = next(reading)
            while True:
                calls = reading.send(await self.read_calls(calls, block))
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # StopIteration is not generic

    async def require_canonical(self, block: BlockRef) -> None:
        """Raise BlockNotFoundError unless ``block`` still stands at its height."""
        if (await self.get_block(block.number)).hash != block.hash:
            raise _block_missing(self.rpc.where, str(block))

    def _snapshot(self, block: BlockRef, replies: Sequence[Reply]) -> Snapshot:
        return Snapshot(block, tuple(self._answer(block, reply) for reply in replies))

    def _answer(self, block: BlockRef, reply: Reply) -> Answer:
        if not isinstance(reply, NodeRefusedError):
            return Answer(True, bytes.fromhex(reply[2:]))
        if is_block_missing(reply):
            raise _block_missing(self.rpc.where, str(block)) from reply
        data = get_revert_data(reply)
        if data is None:
            raise reply
        return Answer(False, data)


def _eth_call(call: Call, pin: Any) -> Request:
    fields = {"data": "0x" + call.data.hex()}
    if call.to:
        fields["to"] = call.to
    if call.sender:
        fields["from"] = call.sender
    if call.value_wei:
        fields["value"] = hex(call.value_wei)
    if call.code:
        return "eth_call", (fields, pin, {call.to: {"code": "0x" + call.code.hex()}})
    return "eth_call", (fields, pin)


def _block_missing(where: str, block: str) -> BlockNotFoundError:
    return BlockNotFoundError(
        f"{where} does not have {block}",
        needed="the block, canonical and with its state",
        todo="Decide again at the newest block; for old blocks use an archive node",
    )
