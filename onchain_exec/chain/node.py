"""One chain as the decisions see it: blocks, reads pinned to one of them, and what was mined."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeAlias, TypeVar

from onchain_exec.chain.decode import (
    FeeHistory,
    Header,
    Json,
    SeenTx,
    decode_fee_history,
    decode_header,
    decode_logs,
    decode_receipt,
    decode_result,
    decode_transaction,
    optional,
    to_bytes,
    to_hex,
    to_int,
)
from onchain_exec.chain.dialects import get_revert_data, is_block_missing, is_eip1898_unknown, is_indexing
from onchain_exec.chain.reverts import decode_revert
from onchain_exec.chain.rpc import Broadcaster, Delivery, HasUrls, Rpc, deliver
from onchain_exec.chain.simulation import (
    Access,
    CallResult,
    SimulatedBlock,
    StateOverride,
    TxCall,
    decode_accesses,
    decode_simulation,
    encode_call,
    encode_overrides,
    encode_simulation,
    encode_tx,
)
from onchain_exec.chain.wire import Reply
from onchain_exec.core import Address, Answer, BlockRef, Call, Log, Reading, Receipt, Snapshot
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import BlockNotFoundError, ConfigError, NodeError, NodeRefusedError, WrongChainError

T = TypeVar("T")
At: TypeAlias = BlockRef | str
"""Where to read: exactly at a block, or at a tag (``latest``, ``pending``, ``safe``, ``finalized``)."""

PinnedRequest: TypeAlias = tuple[str, Any, tuple[Any, ...]]
"""A method, the parameter before the block, and those after it."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which logs: of these contracts (none: of any), with these topics.

    ``topics[i]`` are the values allowed at position i; an empty one allows any.
    """

    addresses: tuple[Address, ...] = ()
    topics: tuple[tuple[bytes, ...], ...] = ()

    def encode(self, **blocks: str) -> dict[str, Any]:
        """Return the parameter of eth_getLogs for these ``blocks``."""
        topics = [[to_hex(value) for value in topic] or None for topic in self.topics]
        return {"topics": topics, **({"address": self.addresses} if self.addresses else {}), **blocks}


class Node:
    """One chain over an `Rpc`. Made by `connect`, which checks the chain id.

    ``errors`` are custom errors to decode besides the known ones. A method raises the errors of
    `Rpc.request`; where it names a block also BlockNotFoundError, if the node lacks that block or
    its state, or a reorg dropped it. Nothing is retried.
    """

    def __init__(self, rpc: Rpc, chain_id: int, errors: tuple[CustomError, ...] = ()) -> None:
        self.rpc, self.chain_id, self.errors = rpc, chain_id, errors
        self._pins_by_hash = True

    def __repr__(self) -> str:
        return f"Node({self.rpc.where!r}, chain_id={self.chain_id})"

    @classmethod
    async def connect(
        cls, url: str | Rpc, chain_id: int | None = None, errors: tuple[CustomError, ...] = ()
    ) -> Self:
        """Return a node after asking for its chain id; the connection is closed if that fails.

        ``url`` may be several, apart by spaces: a pool (see `parse_endpoints`).

        Raises:
            WrongChainError: it serves another chain than ``chain_id``.
            ConfigError: a URL cannot be used.
        """
        from onchain_exec.chain.opening import open_rpc  # noqa: PLC0415 - other nodes need no sockets

        rpc = open_rpc(url, chain_id) if isinstance(url, str) else url
        try:
            found = decode_result(to_int, await rpc.request("eth_chainId"), "eth_chainId", rpc.where)
            if chain_id not in (None, found):
                raise WrongChainError(found, chain_id, rpc.where)
        except (NodeError, asyncio.CancelledError):
            await rpc.close()
            raise
        return cls(rpc, found, errors)

    async def find_urls(self, block: BlockRef) -> tuple[str, ...]:
        """Return the URLs of the HTTP endpoints that have the block, the best first. They may hold keys.

        Raises:
            NodeError: no endpoint has it.
        """
        return await self.rpc.find_urls(block.hash) if isinstance(self.rpc, HasUrls) else ()

    async def close(self) -> None:
        """Release the connections."""
        await self.rpc.close()

    async def get_block(self, block: int | str = "latest") -> BlockRef:
        """Return a block by number, tag (``latest``, ``safe``, ``finalized``) or 0x hash."""
        return (await self.get_header(block)).block

    async def get_header(self, block: int | str = "latest") -> Header:
        """Return a block, named as for `get_block`, with its parent's hash."""
        found = await self._find_header(block)
        if found is None:
            raise self._block_missing(f"block {block}")
        return found

    async def get_headers(self, numbers: Iterable[int]) -> tuple[Header | None, ...]:
        """Return the blocks at these heights in one batch; None for those that are not there yet."""
        requests = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
        decode = optional(partial(decode_header, self.chain_id))
        replies = await self.rpc.batch(requests)
        if refusal := next((reply for reply in replies if isinstance(reply, NodeRefusedError)), None):
            raise refusal
        where = self.rpc.where
        return tuple(decode_result(decode, reply, "eth_getBlockByNumber", where) for reply in replies)

    async def require_canonical(self, block: BlockRef) -> None:
        """Raise BlockNotFoundError unless ``block`` still stands at its height."""
        if not await self._is_canonical(block.number, block.hash):
            raise self._block_missing(str(block))

    async def read_calls(self, calls: Sequence[Call], block: BlockRef) -> Snapshot:
        """Return the answers of ``calls`` at exactly ``block``, in one batch.

        A call that reverts is an `Answer` without success and with the revert data; one that the
        EVM halted (invalid opcode, the node's gas cap) is the same without data.

        Raises:
            NodeRefusedError: the node refused a call for a reason that is not the call's own.
        """

        replies = await self._ask_at(block, [("eth_call", *encode_call(call)) for call in calls])
        return Snapshot(block, tuple(self._answer(reply) for reply in replies))

    async def perform(self, reading: Reading[T], block: BlockRef) -> T:
        """Return the result of a described reading, every round of it at ``block``."""
        try:
            calls = next(reading)
            while True:
                calls = reading.send(await self.read_calls(calls, block))
        except StopIteration as done:
            result: T = done.value
            return result

    async def get_balance(self, address: Address, at: At = "latest") -> int:
        """Return an account's balance in wei."""
        return await self._read_at(at, ("eth_getBalance", address, ()), to_int)

    async def get_nonce(self, address: Address, at: At = "latest") -> int:
        """Return how many transactions of the account were mined; ``pending`` counts its pool too."""
        return await self._read_at(at, ("eth_getTransactionCount", address, ()), to_int)

    async def get_nonces(self, addresses: Sequence[Address], at: At = "latest") -> tuple[int, ...]:
        """Return the accounts' transaction counts in one batch."""
        requests: list[PinnedRequest] = [("eth_getTransactionCount", address, ()) for address in addresses]
        return tuple(
            self._decode(to_int, reply, "eth_getTransactionCount")
            for reply in (await self._ask_at(at, requests) if requests else ())
        )

    async def get_code(self, address: Address, at: At = "latest") -> bytes:
        """Return the runtime bytecode at an address, empty where there is none."""
        return await self._read_at(at, ("eth_getCode", address, ()), to_bytes)

    async def call(self, tx: TxCall, at: At, overrides: Sequence[StateOverride] = ()) -> bytes:
        """Return what a transaction would return at a block.

        Raises:
            RevertError: it reverts.
        """
        return await self._try(tx, at, "eth_call", overrides, to_bytes)

    async def estimate_gas(self, tx: TxCall, at: At, overrides: Sequence[StateOverride] = ()) -> int:
        """Return the node's estimate of the gas limit. Inner calls may still run out of gas with it.

        Raises:
            RevertError: it reverts at any limit.
        """
        return await self._try(tx, at, "eth_estimateGas", overrides, to_int)

    async def find_accesses(self, tx: TxCall, at: At) -> tuple[Access, ...]:
        """Return what a transaction touches beside its sender and target, as an access list (EIP-2930).

        Raises:
            RevertError: it reverts.
            NodeRefusedError: the node makes no such lists.
        """
        return await self._try(tx, at, "eth_createAccessList", (), decode_accesses)

    async def simulate(
        self,
        blocks: Sequence[SimulatedBlock],
        base: BlockRef,
        *,
        trace_transfers: bool = True,
        validation: bool = False,
    ) -> tuple[tuple[CallResult, ...], ...]:
        """Return the results of blocks of calls run on top of ``base`` (eth_simulateV1).

        ``validation`` makes the node check nonces, fees and balances as for inclusion.

        Raises:
            NodeRefusedError: the node does not have the method, or a call could not be a transaction
                (nonce, funds, intrinsic gas).
        """
        body = encode_simulation(blocks, base, trace_transfers=trace_transfers, validation=validation)
        return await self._read_at(
            base, ("eth_simulateV1", body, ()), lambda found: decode_simulation(found, self.errors)
        )

    async def fee_history(
        self, blocks: int, percentiles: Sequence[float], newest: At = "latest"
    ) -> FeeHistory:
        """Return the fees of the last ``blocks`` blocks and their tips at gas-weighted percentiles."""
        newest_block = hex(newest.number) if isinstance(newest, BlockRef) else newest
        params = (hex(blocks), newest_block, percentiles)
        return await self._read("eth_feeHistory", params, decode_fee_history)

    async def send_raw_transaction(self, raw: bytes) -> str:
        """Hand signed bytes to the node, once, and return the hash it names.

        Raises:
            NodeUnreachableError: AMBIGUOUS: the node may have taken them.
            RateLimitedError, NodeRefusedError: it answered; what that means is `execution`'s to judge.
        """
        return await self._read("eth_sendRawTransaction", (to_hex(raw),), str.lower)

    @property
    def takes_private(self) -> bool:
        """Whether private bytes can be sent."""
        return isinstance(self.rpc, Broadcaster) and self.rpc.takes_private

    async def broadcast(
        self, raw: bytes, *, private: bool = False, only: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        """Hand signed bytes, once each, to all endpoints for public transactions, or to all for
        private ones, and return what each said; see `Broadcaster.broadcast`. Nothing a node does is
        raised.

        Raises:
            ConfigError: there is no endpoint for such; nothing was sent.
        """
        if isinstance(self.rpc, Broadcaster):
            return await self.rpc.broadcast(raw, private=private, only=only)
        if private:
            raise ConfigError(f"{self.rpc.where} is public", needed="private+URL among the node URLs")
        return (await deliver(self.rpc, raw),)

    async def get_transaction(self, tx_hash: str) -> SeenTx | None:
        """Return a transaction, in the pool or mined; None if the node does not know it (now)."""
        return await self._read_indexed("eth_getTransactionByHash", tx_hash, decode_transaction)

    async def get_receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt if its block is canonical now.

        None says nothing about the future: the node may lag, index, or a reorg may be under way.
        """
        receipt = await self._read_indexed("eth_getTransactionReceipt", tx_hash, decode_receipt)
        if receipt is None or not await self._is_canonical(receipt.block_number, receipt.block_hash):
            return None
        return receipt

    async def get_receipts(self, tx_hashes: Sequence[str]) -> tuple[Receipt | None, ...]:
        """Return the receipts as `get_receipt` does, in two batches: theirs, and their blocks'."""
        if not tx_hashes:
            return ()
        method = "eth_getTransactionReceipt"
        replies = await self.rpc.batch([(method, (tx_hash,)) for tx_hash in tx_hashes])
        receipts = [
            None if _is(reply, is_indexing) else self._decode(optional(decode_receipt), reply, method)
            for reply in replies
        ]
        heights = sorted({receipt.block_number for receipt in receipts if receipt})
        headers = await self.get_headers(heights) if heights else ()
        canonical = {header.block.hash for header in headers if header}
        return tuple(receipt if receipt and receipt.block_hash in canonical else None for receipt in receipts)

    async def get_logs(self, wanted: LogFilter, blocks: BlockRef | tuple[int, int]) -> tuple[Log, ...]:
        """Return the logs of one block, by its hash, or of heights (first, last), both included."""
        if isinstance(blocks, BlockRef):
            return await self.get_logs_of(wanted, [blocks])
        first, last = (hex(height) for height in blocks)
        return await self._read("eth_getLogs", (wanted.encode(fromBlock=first, toBlock=last),), decode_logs)

    async def get_logs_of(self, wanted: LogFilter, blocks: Sequence[BlockRef]) -> tuple[Log, ...]:
        """Return the logs of each of these blocks, by its hash, in one batch."""
        requests = [("eth_getLogs", (wanted.encode(blockHash=block.hash),)) for block in blocks]
        logs: list[Log] = []
        for block, reply in zip(blocks, await self.rpc.batch(requests), strict=True):
            (found,) = self._require_found(block, (reply,))
            if isinstance(found, NodeRefusedError):
                raise found
            logs += decode_result(decode_logs, found, "eth_getLogs", self.rpc.where)
        return tuple(logs)

    async def _is_canonical(self, number: int, block_hash: str) -> bool:
        found = await self._find_header(number)
        return found is not None and found.block.hash == block_hash

    async def _find_header(self, block: int | str) -> Header | None:
        by_hash = isinstance(block, str) and block.startswith("0x")
        method = "eth_getBlockByHash" if by_hash else "eth_getBlockByNumber"
        named = hex(block) if isinstance(block, int) else block
        return await self._read(method, (named, False), optional(partial(decode_header, self.chain_id)))

    async def _read(self, method: str, params: Sequence[Any], decode: Callable[[Any], T]) -> T:
        return decode_result(decode, await self.rpc.request(method, params), method, self.rpc.where)

    async def _read_indexed(self, method: str, tx_hash: str, decode: Callable[[Json], T]) -> T | None:
        try:
            return await self._read(method, (tx_hash,), optional(decode))
        except NodeRefusedError as error:
            if is_indexing(error):
                return None
            raise

    async def _read_at(self, at: At, request: PinnedRequest, decode: Callable[[Any], T]) -> T:
        (reply,) = await self._ask_at(at, [request])
        return self._decode(decode, reply, request[0])

    def _decode(self, decode: Callable[[Any], T], reply: Reply, method: str) -> T:
        if isinstance(reply, NodeRefusedError):
            raise reply
        return decode_result(decode, reply, method, self.rpc.where)

    async def _try(
        self, tx: TxCall, at: At, method: str, overrides: Sequence[StateOverride], decode: Callable[[Any], T]
    ) -> T:
        more = (encode_overrides(overrides),) if overrides else ()
        try:
            return await self._read_at(at, (method, encode_tx(tx), more), decode)
        except NodeRefusedError as error:
            data = get_revert_data(error)
            if data is None:
                raise
            raise decode_revert(data, self.errors) from error

    async def _ask_at(self, at: At, requests: Sequence[PinnedRequest]) -> tuple[Reply, ...]:
        """Return the replies to requests at a block.

        A BlockRef is named by its hash (EIP-1898). Where the node does not know that, it is named
        by number, and its hash compared after.
        """
        if isinstance(at, str):
            return await self._ask_pinned(at, requests)
        if self._pins_by_hash:
            pin = {"blockHash": at.hash, "requireCanonical": True}
            replies = await self._ask_pinned(pin, requests)
            if not any(_is(reply, is_eip1898_unknown) for reply in replies):
                return self._require_found(at, replies)
        replies = self._require_found(at, await self._ask_pinned(hex(at.number), requests))
        await self.require_canonical(at)
        if not all(isinstance(reply, NodeRefusedError) for reply in replies):
            self._pins_by_hash = False
        return replies

    async def _ask_pinned(self, pin: Any, requests: Sequence[PinnedRequest]) -> tuple[Reply, ...]:
        return await self.rpc.batch([(method, (subject, pin, *more)) for method, subject, more in requests])

    def _answer(self, reply: Reply) -> Answer:
        if not isinstance(reply, NodeRefusedError):
            return Answer(True, decode_result(to_bytes, reply, "eth_call", self.rpc.where))
        data = get_revert_data(reply)
        if data is None:
            raise reply
        return Answer(False, data)

    def _require_found(self, at: BlockRef, replies: tuple[Reply, ...]) -> tuple[Reply, ...]:
        missing = next((reply for reply in replies if _is(reply, is_block_missing)), None)
        if missing is not None:
            raise self._block_missing(str(at)) from missing
        return replies

    def _block_missing(self, block: str) -> BlockNotFoundError:
        return BlockNotFoundError(
            f"{self.rpc.where} does not have {block}",
            needed="the block, canonical and with its state",
            todo="Decide again at the newest block; for old blocks use an archive node",
        )


def _is(reply: Reply, question: Callable[[NodeRefusedError], bool]) -> bool:
    return isinstance(reply, NodeRefusedError) and question(reply)
