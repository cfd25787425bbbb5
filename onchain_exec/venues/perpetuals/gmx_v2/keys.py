"""Under which keys GMX's DataStore keeps things, and how it is asked. Mirror of ``Keys``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final, TypeAlias

from onchain_exec.core import Address, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.asking import Ask, ask_one_value_each

Part: TypeAlias = Address | bool | int | bytes

_GET_UINT: Final = Function("getUint(bytes32)", "(uint256)")
_GET_INT: Final = Function("getInt(bytes32)", "(int256)")
_GET_BOOL: Final = Function("getBool(bytes32)", "(bool)")
_GET_ADDRESS: Final = Function("getAddress(bytes32)", "(address)")
_GET_BYTES32: Final = Function("getBytes32(bytes32)", "(bytes32)")
_GET_BYTES32_VALUES: Final = Function("getBytes32ValuesAt(bytes32,uint256,uint256)", "(bytes32[])")
_MOST_VALUES: Final = 1_000
_WORD: Final = 32


@cache
def hash_name(name: str) -> bytes:
    """Return ``keccak256(abi.encode(name))``, the key of what there is once."""
    return keccak(encode(["string"], [name]))


def find_key(name: str, *parts: Part) -> bytes:
    """Return the key of what there is for each market, token, side and so on."""
    return keccak(b"".join((hash_name(name), *map(_to_word, parts))))


def find_field(of: Address | bytes, name: str) -> bytes:
    """Return the key of a field of a market (by its token), a position or an order (by their keys)."""
    return keccak(_to_word(of) + hash_name(name))


def read_uints(store: Address, keys: Sequence[bytes]) -> Reading[list[int]]:
    """Read unsigned numbers; what was never set is 0.

    Raises:
        InputError: another contract stands at ``store``, as in all that follows.
    """
    words = yield from _read(store, _GET_UINT, keys)
    return [int.from_bytes(word) for word in words]


def read_ints(store: Address, keys: Sequence[bytes]) -> Reading[list[int]]:
    """Read signed numbers."""
    words = yield from _read(store, _GET_INT, keys)
    return [int.from_bytes(word, signed=True) for word in words]


def read_bools(store: Address, keys: Sequence[bytes]) -> Reading[list[bool]]:
    """Read flags."""
    words = yield from _read(store, _GET_BOOL, keys)
    return [any(word) for word in words]


def read_addresses(store: Address, keys: Sequence[bytes]) -> Reading[list[Address]]:
    """Read addresses."""
    words = yield from _read(store, _GET_ADDRESS, keys)
    return [to_address(word[-20:]) for word in words]


def read_words(store: Address, keys: Sequence[bytes]) -> Reading[list[bytes]]:
    """Read words of 32 bytes."""
    return (yield from _read(store, _GET_BYTES32, keys))


def read_lists(store: Address, keys: Sequence[bytes]) -> Reading[list[tuple[bytes, ...]]]:
    """Read the first 1,000 words of each list."""
    asks = [Ask(store, _GET_BYTES32_VALUES, (key, 0, _MOST_VALUES)) for key in keys]
    return (yield from ask_one_value_each(asks))


def _read(store: Address, function: Function, keys: Sequence[bytes]) -> Reading[list[bytes]]:
    """Read a word for each key: a market has some hundred of them, so they are decoded by hand."""
    snapshot = yield tuple(Call(store, function.selector + key) for key in keys)
    for answer in snapshot.answers:
        if not answer.success or len(answer.data) != _WORD:
            decode_answer(function, store, answer)
    return [answer.data for answer in snapshot.answers]


def _to_word(part: Part) -> bytes:
    """Return a value as ``abi.encode`` does: a word, whatever its type."""
    if isinstance(part, bytes):
        return part.rjust(32, b"\0")
    return (part if isinstance(part, int) else int(part, 16)).to_bytes(32)
