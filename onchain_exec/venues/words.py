"""The 32-byte words of logs as integers: a whole decoder costs more than applying the event."""

from __future__ import annotations


def unsigned_word(data: bytes, index: int = 0) -> int:
    """Return word ``index`` of ``data`` as an unsigned integer."""
    return int.from_bytes(data[32 * index : 32 * index + 32])


def signed_word(data: bytes, index: int = 0) -> int:
    """Return word ``index`` of ``data`` as a signed integer."""
    return int.from_bytes(data[32 * index : 32 * index + 32], signed=True)
