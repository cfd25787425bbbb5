"""What relays are asked, as data: bundles, private transactions and conditions, and their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onchain_exec.chain.decode import to_hex
from onchain_exec.core import Address
from onchain_exec.errors import InputError


@dataclass(frozen=True, slots=True)
class Bundle:
    """Signed transactions that are mined in this order in ``block_number``, with nothing between them, or
    not at all.

    ``may_revert`` are hashes of transactions whose failure does not forbid the bundle. ``min_timestamp``
    and ``max_timestamp`` are unix seconds of the block, both included. ``replacement_id`` (a UUID) names
    the bundle, so that another one can take its place, or `Relay.cancel_bundle` withdraw it.

    Raises:
        InputError: no transactions, or no block.
    """

    transactions: tuple[bytes, ...]
    block_number: int
    may_revert: tuple[str, ...] = ()
    min_timestamp: int | None = None
    max_timestamp: int | None = None
    replacement_id: str | None = None

    def __post_init__(self) -> None:
        if not self.transactions or self.block_number <= 0:
            raise InputError("a bundle without transactions or block", needed="both")

    def to_json(self) -> dict[str, Any]:
        """Return the parameter of ``eth_sendBundle``."""
        fields: dict[str, Any] = {
            "txs": [to_hex(raw) for raw in self.transactions],
            "blockNumber": hex(self.block_number),
            "minTimestamp": self.min_timestamp,
            "maxTimestamp": self.max_timestamp,
            "revertingTxHashes": list(self.may_revert) or None,
            "replacementUuid": self.replacement_id,
        }
        return _leave_out_none(fields)

    def to_call_json(self, state_block: int | str, timestamp: int | None) -> dict[str, Any]:
        """Return the parameter of ``eth_callBundle``: on the state of ``state_block``."""
        state = hex(state_block) if isinstance(state_block, int) else state_block
        fields = {
            "txs": [to_hex(raw) for raw in self.transactions],
            "blockNumber": hex(self.block_number),
            "stateBlockNumber": state,
            "timestamp": timestamp,
        }
        return _leave_out_none(fields)


@dataclass(frozen=True, slots=True)
class PrivateTx:
    """One signed transaction for builders alone, until ``max_block_number`` (the relay's own if None);
    ``fast`` gives it to all builders the relay knows (``preferences`` of Flashbots Protect)."""

    raw: bytes
    max_block_number: int | None = None
    fast: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the parameter of ``eth_sendPrivateTransaction``."""
        last = None if self.max_block_number is None else hex(self.max_block_number)
        fields = {
            "tx": to_hex(self.raw),
            "maxBlockNumber": last,
            "preferences": {"fast": True} if self.fast else None,
        }
        return _leave_out_none(fields)


@dataclass(frozen=True, slots=True)
class SharedBundle:
    """A bundle for MEV-Share (version ``v0.1``): transactions of ours, or hashes of others' that it runs
    behind, in ``block_number`` up to ``max_block_number``.

    ``hints`` say what searchers may see of it; ``refund_percent`` of what they make comes back to
    ``refund_to``.
    """

    body: tuple[bytes | str, ...]
    block_number: int
    max_block_number: int | None = None
    may_revert: bool = False
    hints: tuple[str, ...] = ()
    refund_percent: int | None = None
    refund_to: Address | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the parameter of ``mev_sendBundle``."""
        last = None if self.max_block_number is None else hex(self.max_block_number)
        fields: dict[str, Any] = {
            "version": "v0.1",
            "inclusion": _leave_out_none({"block": hex(self.block_number), "maxBlock": last}),
            "body": [self._to_item(item) for item in self.body],
        }
        if self.refund_percent is not None:
            fields["validity"] = {"refund": [{"bodyIdx": 0, "percent": self.refund_percent}]}
            if self.refund_to:
                fields["validity"]["refundConfig"] = [{"address": self.refund_to, "percent": 100}]
        if self.hints:
            fields["privacy"] = {"hints": list(self.hints)}
        return fields

    def _to_item(self, item: bytes | str) -> dict[str, Any]:
        return {"hash": item} if isinstance(item, str) else {"tx": to_hex(item), "canRevert": self.may_revert}


@dataclass(frozen=True, slots=True)
class SendConditions:
    """What must hold for a transaction to be sequenced (EIP-7796, ``eth_sendRawTransactionConditional``):
    a range of blocks and unix seconds, both ends included, and slots (address to slot to value) as they are
    now."""

    block_number_min: int | None = None
    block_number_max: int | None = None
    timestamp_min: int | None = None
    timestamp_max: int | None = None
    known_slots: Mapping[Address, Mapping[int, int]] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the second parameter of the method."""
        numbers = {
            "blockNumberMin": self.block_number_min,
            "blockNumberMax": self.block_number_max,
            "timestampMin": self.timestamp_min,
            "timestampMax": self.timestamp_max,
        }
        fields: dict[str, Any] = {name: hex(at) for name, at in numbers.items() if at is not None}
        if self.known_slots:
            fields["knownAccounts"] = {
                address: {f"0x{slot:064x}": f"0x{value:064x}" for slot, value in slots.items()}
                for address, slots in self.known_slots.items()
            }
        return fields


def _leave_out_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
