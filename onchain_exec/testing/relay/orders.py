"""What a relay was asked, as far as building a block needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onchain_exec.core import Address
from onchain_exec.core.hashing import keccak
from onchain_exec.testing.lying_node import PoolTx, decode_transaction


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: by whom it was signed (None: by nobody), and what it wanted."""

    searcher: Address | None
    method: str
    params: Sequence[Any]


@dataclass(frozen=True, slots=True)
class BundleOrder:
    """Transactions for one of the blocks ``first`` to ``last``, in their order, all or none.

    ``may_revert`` are hashes; times are unix seconds, 0 is no bound; ``slots`` are (address, slot, value)
    that must stand before. ``name`` is what cancels or replaces it.
    """

    transactions: tuple[PoolTx, ...]
    first: int
    last: int
    may_revert: frozenset[str] = frozenset()
    min_timestamp: int = 0
    max_timestamp: int = 0
    slots: tuple[tuple[str, str, str], ...] = ()
    name: str = ""

    @property
    def hash(self) -> str:
        """Keccak of the transactions' hashes, as relays name a bundle."""
        return "0x" + keccak(b"".join(bytes.fromhex(tx.tx_hash[2:]) for tx in self.transactions)).hex()

    def fits(self, number: int, timestamp: int) -> bool:
        """Return whether a block of this number and time may hold it."""
        in_time = self.min_timestamp <= timestamp <= (self.max_timestamp or timestamp)
        return self.first <= number <= self.last and in_time


def read_bundle(fields: Mapping[str, Any]) -> BundleOrder:
    """Return the order of ``eth_sendBundle``, or of ``eth_callBundle``."""
    number = _int(fields["blockNumber"])
    return BundleOrder(
        transactions=_decode(fields["txs"]),
        first=number,
        last=number,
        may_revert=frozenset(text.lower() for text in fields.get("revertingTxHashes") or ()),
        min_timestamp=fields.get("minTimestamp") or 0,
        max_timestamp=fields.get("maxTimestamp") or 0,
        name=fields.get("replacementUuid") or "",
    )


def read_shared(fields: Mapping[str, Any]) -> BundleOrder:
    """Return the order of ``mev_sendBundle`` whose body is transactions."""
    inclusion, body = fields["inclusion"], fields["body"]
    transactions = _decode([item["tx"] for item in body])
    able = (tx for tx, item in zip(transactions, body, strict=True) if item.get("canRevert"))
    return BundleOrder(
        transactions=transactions,
        first=int(inclusion["block"], 16),
        last=int(inclusion.get("maxBlock", inclusion["block"]), 16),
        may_revert=frozenset(tx.tx_hash for tx in able),
    )


def read_private(fields: Mapping[str, Any], first: int, last: int) -> BundleOrder:
    """Return the order of ``eth_sendPrivateTransaction``, until ``last`` if it does not say; the
    transaction's hash is its name."""
    (tx,) = _decode([fields["tx"]])
    return BundleOrder((tx,), first, _int(fields.get("maxBlockNumber", last)), name=tx.tx_hash)


def read_conditional(raw: str, conditions: Mapping[str, Any], first: int) -> BundleOrder:
    """Return the order of ``eth_sendRawTransactionConditional``."""
    (tx,) = _decode([raw])
    bounds = {name: int(value, 16) for name, value in conditions.items() if name != "knownAccounts"}
    return BundleOrder(
        (tx,),
        max(first, bounds.get("blockNumberMin", first)),
        bounds.get("blockNumberMax", first + 25),
        min_timestamp=bounds.get("timestampMin", 0),
        max_timestamp=bounds.get("timestampMax", 0),
        slots=tuple(
            (address, slot, value)
            for address, slots in conditions.get("knownAccounts", {}).items()
            for slot, value in slots.items()
        ),
        name=tx.tx_hash,
    )


def _int(number: int | str) -> int:
    """The public client sends some numbers in hex, as it is documented, and others plain."""
    return number if isinstance(number, int) else int(number, 16)


def _decode(transactions: Sequence[str]) -> tuple[PoolTx, ...]:
    return tuple(decode_transaction(bytes.fromhex(raw.removeprefix("0x"))) for raw in transactions)
