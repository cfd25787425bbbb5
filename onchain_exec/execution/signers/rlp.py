"""RLP, as far as transactions need it.

Written out for the few kinds of fields there are, because a general encoder costs five times as much.
"""

from __future__ import annotations


def encode_ints(*values: int) -> bytes:
    """Return integers of at least 0 as items, one after the other."""
    return b"".join([encode_bytes(value.to_bytes((value.bit_length() + 7) // 8)) for value in values])


def encode_bytes(value: bytes) -> bytes:
    """Return a string of bytes as an item."""
    if len(value) == 1 and value[0] < 0x80:
        return value
    return _make_head(0x80, len(value)) + value


def encode_list(items: bytes) -> bytes:
    """Return encoded items, one after the other, as a list."""
    return _make_head(0xC0, len(items)) + items


def split_list(encoded: bytes) -> list[bytes]:
    """Return the items of a list without their heads.

    Raises:
        IndexError: it is no list, or cut short.
    """
    start, stop = _find_body(encoded, 0)
    if encoded[0] < 0xC0 or stop != len(encoded):
        raise IndexError
    return split_items(encoded[start:])


def split_items(encoded: bytes) -> list[bytes]:
    """Return what stands in a list, its head taken off: the items without theirs.

    Raises:
        IndexError: it is cut short.
    """
    items, at = [], 0
    while at < len(encoded):
        start, at = _find_body(encoded, at)
        items.append(encoded[start:at])
    if at != len(encoded):
        raise IndexError
    return items


def _find_body(encoded: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the item at ``at`` begins and ends."""
    head = encoded[at]
    if head < 0x80:
        return at, at + 1
    length = head - (0xC0 if head >= 0xC0 else 0x80)
    if length < 56:
        return at + 1, at + 1 + length
    start = at + 1 + length - 55
    return start, start + int.from_bytes(encoded[at + 1 : start])


def _make_head(offset: int, length: int) -> bytes:
    if length < 56:
        return bytes((offset + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((offset + 55 + len(size),)) + size
