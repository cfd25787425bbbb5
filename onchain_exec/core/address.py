"""Addresses: one type, one maker."""

from __future__ import annotations

from functools import lru_cache
from typing import NewType

from eth_utils import is_hex_address, to_checksum_address

from onchain_exec.errors import AddressError

Address = NewType("Address", str)
"""A 20-byte address as EIP-55 checksummed hex text. Made by `to_address` only."""

ZERO_ADDRESS = Address("0x" + "0" * 40)


@lru_cache(maxsize=65_536)
def to_address(value: str | bytes) -> Address:
    """Return the checksummed address of hex text in any case, or of 20 raw bytes.

    Raises:
        AddressError: not 20 bytes, or mixed-case text whose EIP-55 checksum is wrong.
    """
    if isinstance(value, bytes):
        if len(value) != 20:
            raise AddressError(f"{len(value)} bytes given as an address", needed="20 bytes")
        return Address(to_checksum_address(value))
    digits = value[2:]
    checksummed = Address(to_checksum_address(value)) if is_hex_address(value) else None
    if checksummed is None or (value != checksummed and digits not in (digits.lower(), digits.upper())):
        raise AddressError(
            f"{value!r} is not an address",
            needed="0x and 40 hex digits, in one case or with the right EIP-55 checksum",
            todo="Compare it with its source letter by letter",
        )
    return checksummed


def address_bytes(address: Address) -> bytes:
    """Return the 20 bytes of ``address``."""
    return bytes.fromhex(address[2:])
