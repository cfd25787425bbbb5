"""Who signed: the account behind a secp256k1 signature."""

from __future__ import annotations

from onchain_exec.core.address import Address, to_address
from onchain_exec.core.hashing import keccak

GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Number of points of secp256k1."""


def recover(digest: bytes, r: int, s: int, y_parity: int) -> Address | None:
    """Return whose signature of the 32-byte digest it is, or None if no key can have made it."""
    from coincurve import PublicKey  # noqa: PLC0415 - a journal holds signatures, and recovers none

    try:
        packed = r.to_bytes(32) + s.to_bytes(32) + bytes((y_parity,))
        key = PublicKey.from_signature_and_message(packed, digest, hasher=None)
    except ValueError:
        return None
    return get_key_address(key.format(compressed=False))


def get_key_address(public_key: bytes) -> Address:
    """Return the account of an uncompressed public key of 65 bytes."""
    return to_address(keccak(public_key[1:])[12:])
