"""Under which keys GMX's DataStore keeps things, and how it is asked. Mirror of ``Keys``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from eth_abi import encode

from onchain_exec.core import Address, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.hashing import keccak
from onchain_exec.venues.asking import Ask, ask_one_value_each

Part: TypeAlias = Address | bool | int | bytes

_GET_UINT: Final = Function("getUint(bytes32)", "(uint256)")
_GET_INT: Final = Function("getInt(bytes32)", "(int256)")
_GET_BOOL: Final = Function("getBool(bytes32)", "(bool)")
_GET_ADDRESS: Final = Function("getAddress(bytes32)", "(address)")
_GET_BYTES32: Final = Function("getBytes32(bytes32)", "(bytes32)")
_GET_BYTES32_VALUES: Final = Function("getBytes32ValuesAt(bytes32,uint256,uint256)", "(bytes32[])")
_MOST_VALUES: Final = 1_000


def hash_name(name: str) -> bytes:
    """Return ``keccak256(abi.encode(name))``, the key of what there is once."""
    return keccak(encode(["string"], [name]))


def find_key(name: str, *parts: Part) -> bytes:
    """Return the key of what there is for each market, token, side and so on."""
    kinds = [_get_kind(part) for part in parts]
    return keccak(encode(["bytes32", *kinds], [hash_name(name), *parts]))


def find_field(of: Address | bytes, name: str) -> bytes:
    """Return the key of a field of a market (by its token), a position or an order (by their keys)."""
    return keccak(encode([_get_kind(of), "bytes32"], [of, hash_name(name)]))


def read_uints(store: Address, keys: Sequence[bytes]) -> Reading[list[int]]:
    """Read unsigned numbers; what was never set is 0."""
    return (yield from _read(store, _GET_UINT, keys))


def read_ints(store: Address, keys: Sequence[bytes]) -> Reading[list[int]]:
    """Read signed numbers."""
    return (yield from _read(store, _GET_INT, keys))


def read_bools(store: Address, keys: Sequence[bytes]) -> Reading[list[bool]]:
    """Read flags."""
    return (yield from _read(store, _GET_BOOL, keys))


def read_addresses(store: Address, keys: Sequence[bytes]) -> Reading[list[Address]]:
    """Read addresses."""
    found = yield from _read(store, _GET_ADDRESS, keys)
    return [to_address(one) for one in found]


def read_words(store: Address, keys: Sequence[bytes]) -> Reading[list[bytes]]:
    """Read words of 32 bytes."""
    return (yield from _read(store, _GET_BYTES32, keys))


def read_lists(store: Address, keys: Sequence[bytes]) -> Reading[list[tuple[bytes, ...]]]:
    """Read the first 1,000 words of each list."""
    asks = [Ask(store, _GET_BYTES32_VALUES, (key, 0, _MOST_VALUES)) for key in keys]
    return (yield from ask_one_value_each(asks))


def _read(store: Address, function: Function, keys: Sequence[bytes]) -> Reading[list[Any]]:
    return (yield from ask_one_value_each([Ask(store, function, (key,)) for key in keys]))


def _get_kind(part: Part) -> str:
    if isinstance(part, bool):
        return "bool"
    if isinstance(part, int):
        return "uint256"
    return "bytes32" if isinstance(part, bytes) else "address"
