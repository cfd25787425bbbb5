"""Values as ABI bytes, by an encoder that is put together once for each list of types.

eth_abi looks its encoders up for every call and checks each value twice, which takes six times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from onchain_exec.errors import InputError

if TYPE_CHECKING:
    from eth_abi.grammar import ABIType

Encode: TypeAlias = Callable[[Any], bytes]


class _Encoder(NamedTuple):
    """``size`` is what a value takes among its neighbours, in bytes; a dynamic one leaves an offset there
    and stands behind them."""

    encode: Encode
    size: int = 32
    is_dynamic: bool = False


def encode(types: Sequence[str], values: Sequence[Any]) -> bytes:
    """Return the values as ABI bytes, as a function's arguments are; see `get_encode`."""
    return get_encode(tuple(types))(values)


@cache
def get_encode(types: tuple[str, ...]) -> Encode:
    """Return what encodes a sequence of values of these types, as a function's arguments are. An address
    is text, whose checksum `to_address` has checked once, or 20 bytes.

    It raises:
        InputError: another number of values, or one that is not of its type.
    """
    from eth_abi.grammar import parse  # noqa: PLC0415 (slow, see `abi`)

    return _make_sequence([_make(parse(kind)) for kind in types]).encode


def _make(kind: ABIType) -> _Encoder:
    if kind.arrlist:
        return _make_array(_make(kind.item_type), kind.arrlist[-1])
    if components := getattr(kind, "components", ()):  # a tuple's
        return _make_sequence([_make(component) for component in components])
    return _make_basic(kind.base, kind.sub)  # type: ignore[attr-defined]


def _make_basic(base: str, size: int | None) -> _Encoder:
    if size and base == "uint":
        return _Encoder(_make_integer(0, 1 << size))
    if size and base == "int":
        return _Encoder(_make_integer(-1 << (size - 1), 1 << (size - 1)))
    if size and base == "bytes":
        return _Encoder(_make_fixed_bytes(size))
    if base not in _PLAIN:
        raise InputError(f"the ABI type {base}", needed="a type that Solidity's contracts use")
    return _PLAIN[base]


def _make_sequence(items: Sequence[_Encoder]) -> _Encoder:
    """Return the encoder of a tuple."""

    def encode(values: Sequence[Any]) -> bytes:
        if not isinstance(values, list | tuple) or len(values) != len(items):
            raise InputError(f"{values!r} as ABI values", needed=f"{len(items)} of them")
        return _join(items, values)

    is_dynamic = any(item.is_dynamic for item in items)
    return _Encoder(encode, 32 if is_dynamic else sum(item.size for item in items), is_dynamic)


def _make_array(item: _Encoder, length: Sequence[int]) -> _Encoder:
    """``length`` is empty for an array that says how long it is."""
    if length:
        return _make_sequence([item] * length[0])

    def encode(values: Sequence[Any]) -> bytes:
        if not isinstance(values, list | tuple):
            raise InputError(f"{values!r} as an ABI array", needed="a list or tuple")
        return len(values).to_bytes(32) + _join([item] * len(values), values)

    return _Encoder(encode, is_dynamic=True)


def _join(items: Sequence[_Encoder], values: Sequence[Any]) -> bytes:
    """Return the heads, and behind them what the offsets among them point to."""
    heads, tails, offset = [], [], sum([item.size for item in items])
    for item, value in zip(items, values, strict=True):
        encoded = item.encode(value)
        if item.is_dynamic:
            tails.append(encoded)
            encoded, offset = offset.to_bytes(32), offset + len(encoded)
        heads.append(encoded)
    return b"".join(heads + tails)


def _make_integer(least: int, limit: int) -> Encode:
    def encode(value: int) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < limit:
            raise InputError(f"{value!r} as an ABI integer", needed=f"an int from {least} to {limit - 1}")
        return value.to_bytes(32, signed=value < 0)

    return encode


def _make_fixed_bytes(size: int) -> Encode:
    def encode(value: bytes) -> bytes:
        if not isinstance(value, bytes) or len(value) > size:
            raise InputError(f"{value!r} as bytes{size}", needed=f"at most {size} bytes")
        return value.ljust(32, b"\0")

    return encode


def _encode_address(value: str | bytes) -> bytes:
    try:
        raw = value if isinstance(value, bytes) else bytes.fromhex(value.removeprefix("0x"))
    except (ValueError, AttributeError):
        raw = b""
    if len(raw) != 20:
        raise InputError(f"{value!r} is not an address", needed="text from `to_address`, or 20 bytes")
    return bytes(12) + raw


def _encode_bool(value: bool) -> bytes:
    if not isinstance(value, bool):
        raise InputError(f"{value!r} as bool", needed="True or False")
    return value.to_bytes(32)


def _encode_bytes(value: bytes) -> bytes:
    if not isinstance(value, bytes):
        raise InputError(f"{value!r} as bytes", needed="bytes")
    return len(value).to_bytes(32) + value + bytes(-len(value) % 32)


def _encode_string(value: str) -> bytes:
    if not isinstance(value, str):
        raise InputError(f"{value!r} as string", needed="text")
    return _encode_bytes(value.encode())


_PLAIN: Final = {
    "address": _Encoder(_encode_address),
    "bool": _Encoder(_encode_bool),
    "bytes": _Encoder(_encode_bytes, is_dynamic=True),
    "string": _Encoder(_encode_string, is_dynamic=True),
}
