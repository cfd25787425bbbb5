"""Addresses: one type, one maker."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NewType

from onchain_exec.core.hashing import keccak
from onchain_exec.errors import AddressError

Address = NewType("Address", str)
"""A 20-byte address as EIP-55 checksummed hex text. Made by `to_address` only."""

ZERO_ADDRESS = Address("0x" + "0" * 40)
_DIGITS: Final = re.compile("0x[0-9a-fA-F]{40}", re.ASCII)


@lru_cache(maxsize=65_536)
def to_address(value: str | bytes) -> Address:
    """Return the checksummed address of hex text in any case, or of 20 raw bytes.

    Raises:
        AddressError: neither text nor bytes, not 20 bytes, or mixed-case text whose EIP-55 checksum is wrong.
    """
    if isinstance(value, bytes):
        if len(value) != 20:
            raise AddressError(f"{len(value)} bytes given as an address", needed="20 bytes")
        return _checksum(value.hex())
    is_hex = isinstance(value, str) and _DIGITS.fullmatch(value)
    checksummed = _checksum(value[2:].lower()) if is_hex else None
    if checksummed is None or (
        value != checksummed and value[2:] not in (value[2:].lower(), value[2:].upper())
    ):
        raise AddressError(
            f"{value!r} is not an address",
            needed="0x and 40 hex digits, in one case or with the right EIP-55 checksum",
            todo="Compare it with its source letter by letter",
        )
    return checksummed


def address_bytes(address: Address) -> bytes:
    """Return the 20 bytes of ``address``."""
    return bytes.fromhex(address[2:])


def _checksum(digits: str) -> Address:
    """Write a digit as a capital where the hash of all has a digit of 8 or more (EIP-55)."""
    marks = keccak(digits.encode()).hex()
    return Address(
        "0x"
        + "".join(digit.upper() if mark >= "8" else digit for digit, mark in zip(digits, marks, strict=False))
    )
