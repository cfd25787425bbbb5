"""The node's JSON as types: blocks, logs, receipts, transactions, fee history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Final, TypeAlias, TypeVar

from onchain_exec.core import Address, BlockRef, Log, Receipt, to_address
from onchain_exec.errors import InputError, NodeUnreachableError

Json: TypeAlias = Mapping[str, Any]
T = TypeVar("T")
_ZERO: Final = "0x0"
"""For what old blocks, simulations and other chains leave out."""


@dataclass(frozen=True, slots=True)
class Header:
    """A block and the hash of the one before it."""

    block: BlockRef
    parent_hash: str


@dataclass(frozen=True, slots=True)
class SeenTx:
    """A transaction as a node shows it; ``block_hash`` is None while it waits in the pool."""

    tx_hash: str
    sender: Address
    to: Address | None
    nonce: int
    value_wei: int
    data: bytes
    block_number: int | None
    block_hash: str | None


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """Fees of past blocks, oldest first, in wei per unit of gas.

    ``base_fees_wei`` has one entry more than there are blocks: the next block's base fee.
    ``rewards_wei[i][j]`` is the tip in block i at the j-th percentile asked for.
    """

    oldest_block: int
    base_fees_wei: tuple[int, ...]
    gas_used_ratios: tuple[float, ...]
    rewards_wei: tuple[tuple[int, ...], ...]

    @property
    def next_base_fee_wei(self) -> int:
        """The base fee of the block after the newest."""
        return self.base_fees_wei[-1]


def decode_result(decode: Callable[[Any], T], result: Any, method: str, where: str) -> T:
    """Return ``decode(result)``.

    Raises:
        NodeUnreachableError: the result is not what the method returns.
    """
    try:
        return decode(result)
    except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
        raise NodeUnreachableError(
            f"{where} answered {method} with {shorten(repr(result), 80)}",
            needed="the result that the execution API specifies",
            todo="Check that the URL is an Ethereum node's",
        ) from error


def optional(decode: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """Return a decoder for what may be null: what the node does not know."""
    return lambda result: None if result is None else decode(result)


def decode_block(chain_id: int, block: Json) -> BlockRef:
    """Return the reference of a block object."""
    return BlockRef(
        chain_id=chain_id,
        number=to_int(block["number"]),
        hash=block["hash"].lower(),
        timestamp=to_int(block["timestamp"]),
        base_fee_wei=to_int(block.get("baseFeePerGas") or _ZERO),
        gas_limit=to_int(block["gasLimit"]),
    )


def decode_header(chain_id: int, block: Json) -> Header:
    """Return a block object with its parent's hash."""
    return Header(decode_block(chain_id, block), block["parentHash"].lower())


def decode_log(log: Json) -> Log:
    """Return a log entry of a receipt, of eth_getLogs, or of a simulation."""
    return Log(
        address=to_address(log["address"]),
        topics=tuple(to_bytes(topic) for topic in log["topics"]),
        data=to_bytes(log["data"]),
        index=to_int(log.get("logIndex") or _ZERO),
        block_number=to_int(log.get("blockNumber") or _ZERO),
        block_hash=(log.get("blockHash") or "").lower(),
        tx_hash=(log.get("transactionHash") or "").lower(),
        removed=bool(log.get("removed", False)),
    )


def decode_logs(logs: Iterable[Json]) -> tuple[Log, ...]:
    """Return the log entries of a list."""
    return tuple(decode_log(log) for log in logs)


def decode_receipt(receipt: Json) -> Receipt | None:
    """Return a receipt, or None for the one that some nodes give of a pending transaction.

    ``l1_fee_wei`` is the OP stack's ``l1Fee``; elsewhere it is 0, as on Arbitrum, whose gas used
    contains the data's part.
    """
    if receipt["blockHash"] is None:
        return None
    return Receipt(
        tx_hash=receipt["transactionHash"].lower(),
        block_number=to_int(receipt["blockNumber"]),
        block_hash=receipt["blockHash"].lower(),
        success=to_int(receipt["status"]) == 1,
        gas_used=to_int(receipt["gasUsed"]),
        effective_gas_price_wei=to_int(receipt["effectiveGasPrice"]),
        l1_fee_wei=to_int(receipt.get("l1Fee") or _ZERO),
        sender=to_address(receipt["from"]),
        to=_optional_address(receipt.get("to")),
        logs=decode_logs(receipt["logs"]),
    )


def decode_transaction(tx: Json) -> SeenTx:
    """Return a transaction object, mined or pending."""
    block_number, block_hash = tx.get("blockNumber"), tx.get("blockHash")
    return SeenTx(
        tx_hash=tx["hash"].lower(),
        sender=to_address(tx["from"]),
        to=_optional_address(tx.get("to")),
        nonce=to_int(tx["nonce"]),
        value_wei=to_int(tx["value"]),
        data=to_bytes(tx["input"]),
        block_number=None if block_number is None else to_int(block_number),
        block_hash=None if block_hash is None else block_hash.lower(),
    )


def decode_fee_history(history: Json) -> FeeHistory:
    """Return the answer of eth_feeHistory."""
    return FeeHistory(
        oldest_block=to_int(history["oldestBlock"]),
        base_fees_wei=tuple(to_int(fee) for fee in history["baseFeePerGas"]),
        gas_used_ratios=tuple(float(ratio) for ratio in history["gasUsedRatio"]),
        rewards_wei=tuple(tuple(to_int(tip) for tip in tips) for tips in history.get("reward") or ()),
    )


def to_int(quantity: str) -> int:
    """Return a hex quantity as an int."""
    return int(quantity, 16)


def to_bytes(data: str) -> bytes:
    """Return hex data as bytes."""
    return bytes.fromhex(data[2:])


def to_hex(data: bytes) -> str:
    """Return bytes as hex data."""
    return "0x" + data.hex()


def _optional_address(value: str | None) -> Address | None:
    return to_address(value) if value else None
