"""Storage words that a contract has no getter for, read by a call that lends it other code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onchain_exec.core import Address, Answer, Call
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError

_SLOAD_EACH: Final = bytes.fromhex("60005b3681101560155780355481526020016002565b366000f3")
"""Runtime code: for each word of the calldata the storage word at it; their concatenation is returned.

``i = 0; while (i < calldatasize) { mstore(i, sload(calldataload(i))); i += 32 } return(0, calldatasize)``
"""


def build_storage_call(contract: Address, slots: Sequence[int]) -> Call:
    """Return a call that answers the storage words of ``contract`` at ``slots``."""
    return Call(contract, b"".join(slot.to_bytes(32) for slot in slots), code=_SLOAD_EACH)


def decode_words(answer: Answer, count: int) -> tuple[int, ...]:
    """Return the unsigned words of an answer to `build_storage_call`.

    Raises:
        InputError: the node does not lend code to calls (state overrides of ``eth_call``).
    """
    if not answer.success or len(answer.data) != 32 * count:
        raise InputError(
            f"{len(answer.data)} bytes answered for {count} storage words",
            needed="a node that takes state overrides in eth_call",
        )
    return tuple(int.from_bytes(answer.data[start : start + 32]) for start in range(0, 32 * count, 32))


def find_mapping_slot(slot: int, kind: str, key: Address | int | bytes) -> int:
    """Return where a Solidity mapping that stands at ``slot`` keeps the value of ``key``, a ``kind``."""
    return int.from_bytes(keccak(encode([kind, "uint256"], [key, slot])))


def to_signed(word: int, bits: int = 256) -> int:
    """Return the two's complement value of a word's low ``bits``."""
    value = word & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value
