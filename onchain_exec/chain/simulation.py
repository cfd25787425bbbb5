"""Transactions that are tried, not sent: `eth_call`, `eth_estimateGas` and `eth_simulateV1` as types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.chain.decode import Json, decode_logs, to_bytes, to_hex, to_int
from onchain_exec.chain.reverts import decode_revert
from onchain_exec.core import Address, BlockRef, Call, Log, to_address
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import RevertError

TRANSFERS_ADDRESS: Final = "0xEeeeeEeeeEeEeeEeEeEeeEEEeeeeEeeeeeeeEEeE"
"""Where `Node.simulate` logs moves of the native coin, as ERC-20 Transfer events."""

BLOCK_TIME_S: Final = 12
"""Distance of simulated blocks without a timestamp of their own: the method's default."""


@dataclass(frozen=True, slots=True)
class Access:
    """An account, and slots of its storage, that a transaction pays for before it runs (EIP-2930)."""

    address: Address
    slots: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-RPC has it."""
        return {"address": self.address, "storageKeys": [f"0x{slot:064x}" for slot in self.slots]}


@dataclass(frozen=True, slots=True)
class TxCall:
    """A transaction to try. What is None is left to the node (its gas cap, zero fees, next nonce)."""

    sender: Address
    to: Address | None
    data: bytes
    value_wei: int = 0
    gas_limit: int | None = None
    max_fee_wei: int | None = None
    max_priority_fee_wei: int | None = None
    nonce: int | None = None
    accesses: tuple[Access, ...] = ()


@dataclass(frozen=True, slots=True)
class StateOverride:
    """What an account holds in the simulation instead of its real state; None leaves a part alone.

    ``slots`` are (slot, value) pairs of its storage.
    """

    address: Address
    balance_wei: int | None = None
    nonce: int | None = None
    code: bytes | None = None
    slots: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SimulatedBlock:
    """Calls that run one after another in one block after the pinned one.

    ``timestamp`` None is 12 s after the block before. ``base_fee_wei`` None leaves it to the node:
    the chain's if it validates, else zero. anvil takes another one only where it validates.
    """

    calls: tuple[TxCall, ...]
    overrides: tuple[StateOverride, ...] = ()
    timestamp: int | None = None
    base_fee_wei: int | None = None


@dataclass(frozen=True, slots=True)
class CallResult:
    """What a simulated call came to. ``error`` is None if it succeeded; then ``data`` is its return.

    ``gas_used`` is after refunds; ``logs`` contain the native coin's moves if they were asked for.
    """

    gas_used: int
    data: bytes
    logs: tuple[Log, ...]
    error: RevertError | None

    @property
    def success(self) -> bool:
        """Whether the call did not revert."""
        return self.error is None


def encode_call(call: Call) -> tuple[dict[str, str], tuple[dict[str, Any], ...]]:
    """Return the call object of a described read and, where it brings code, its state override."""
    fields = {"data": to_hex(call.data)}
    if call.to:
        fields["to"] = call.to
    if call.sender:
        fields["from"] = call.sender
    if call.value_wei:
        fields["value"] = hex(call.value_wei)
    if call.to and call.code:
        return fields, (encode_overrides([StateOverride(call.to, code=call.code)]),)
    return fields, ()


def encode_tx(tx: TxCall) -> dict[str, Any]:
    """Return the call object of a transaction to try."""
    fields: dict[str, Any] = {"from": tx.sender, "data": to_hex(tx.data), "value": hex(tx.value_wei)}
    if tx.to:
        fields["to"] = tx.to
    if tx.accesses:
        fields["accessList"] = [access.to_json() for access in tx.accesses]
    optional = {
        "gas": tx.gas_limit,
        "maxFeePerGas": tx.max_fee_wei,
        "maxPriorityFeePerGas": tx.max_priority_fee_wei,
        "nonce": tx.nonce,
    }
    return fields | {name: hex(value) for name, value in optional.items() if value is not None}


def encode_overrides(overrides: Iterable[StateOverride]) -> dict[str, Any]:
    """Return the state override set, by address."""
    return {override.address: _encode_override(override) for override in overrides}


def encode_simulation(
    blocks: Sequence[SimulatedBlock], base: BlockRef, *, trace_transfers: bool, validation: bool
) -> dict[str, Any]:
    """Return the first parameter of eth_simulateV1.

    Number and time are always said: geth counts on from the base block, anvil begins with the
    base block's own.
    """
    encoded, timestamp = [], base.timestamp
    for height, block in enumerate(blocks, start=base.number + 1):
        timestamp = timestamp + BLOCK_TIME_S if block.timestamp is None else block.timestamp
        header = {"number": hex(height), "time": hex(timestamp)}
        if block.base_fee_wei is not None:
            header["baseFeePerGas"] = hex(block.base_fee_wei)
        encoded.append(
            {
                "blockOverrides": header,
                "stateOverrides": encode_overrides(block.overrides),
                "calls": [encode_tx(call) for call in block.calls],
            }
        )
    return {"blockStateCalls": encoded, "traceTransfers": trace_transfers, "validation": validation}


def decode_accesses(found: Json) -> tuple[Access, ...]:
    """Return the list that the node made of what a transaction touches.

    Raises:
        RevertError: the transaction reverts, so that the list is of no use.
    """
    if error := found.get("error"):
        raise RevertError(str(error), (), b"")
    return tuple(
        Access(to_address(entry["address"]), tuple(to_int(slot) for slot in entry["storageKeys"]))
        for entry in found["accessList"]
    )


def decode_simulation(
    blocks: Sequence[Json], errors: Iterable[CustomError]
) -> tuple[tuple[CallResult, ...], ...]:
    """Return the results of each block's calls."""
    return tuple(tuple(_decode_result(call, errors) for call in block["calls"]) for block in blocks)


def _encode_override(override: StateOverride) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if override.balance_wei is not None:
        fields["balance"] = hex(override.balance_wei)
    if override.nonce is not None:
        fields["nonce"] = hex(override.nonce)
    if override.code is not None:
        fields["code"] = to_hex(override.code)
    if override.slots:
        fields["stateDiff"] = {f"0x{slot:064x}": f"0x{value:064x}" for slot, value in override.slots}
    return fields


def _decode_result(call: Json, errors: Iterable[CustomError]) -> CallResult:
    data, error = to_bytes(call["returnData"]), None
    if to_int(call["status"]) != 1:
        # geth gives the revert data with the error, anvil as the return data.
        told = (call.get("error") or {}).get("data")
        data = to_bytes(told) if isinstance(told, str) and told.startswith("0x") else data
        error = decode_revert(data, errors)
    return CallResult(
        gas_used=to_int(call["gasUsed"]),
        data=data,
        logs=decode_logs(call.get("logs") or ()),
        error=error,
    )
