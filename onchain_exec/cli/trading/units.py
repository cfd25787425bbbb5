"""Base units as the command line takes them."""

from __future__ import annotations

from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.errors import AmountError


def parse_units(text: str) -> int:
    """Return base units of their digits.

    Raises:
        AmountError: anything but digits, or beyond uint256.
    """
    if not (text.isascii() and text.isdigit()):
        raise AmountError(f"{text!r} is not an amount", needed="base units: digits only")
    units = int(text) if len(text) <= 78 else MAX_UINT256 + 1
    if units > MAX_UINT256:
        raise AmountError(f"{text} base units", needed="at most 2**256-1")
    return units
