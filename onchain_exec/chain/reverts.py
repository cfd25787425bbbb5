"""Revert data as an error that says what happened and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eth_abi.exceptions import DecodingError

from onchain_exec.chain.known_errors import KNOWN_ERRORS, STRING_HINTS
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import RevertError

_ERROR: Final = CustomError("Error(string)")
_PANIC: Final = CustomError("Panic(uint256)")
_PANICS: Final = {
    0x00: "the compiler inserted it",
    0x01: "an assertion failed",
    0x11: "an arithmetic operation overflowed or underflowed",
    0x12: "a division by zero",
    0x21: "a value outside its enum",
    0x22: "a storage byte array is encoded wrongly",
    0x31: "pop of an empty array",
    0x32: "an array index out of bounds",
    0x41: "too much memory was asked for",
    0x51: "a call of an empty function pointer",
}
"""https://docs.soliditylang.org/en/latest/control-structures.html, "Panic via assert"."""


def decode_revert(data: bytes, errors: Iterable[CustomError] = ()) -> RevertError:
    """Return the error that ``data`` encodes: Error(string), Panic(uint256), or a custom error.

    ``errors`` are looked at before the known ones (Uniswap v2 to v4, routers, Permit2, ERC-20). An
    error that wraps another's data (ERC-7751, routers) tells the inner one in its hint. Data that
    match nothing, or that only begin like a known error, give an empty name. Never raises.
    """
    for known in (*errors, *KNOWN_ERRORS, _ERROR, _PANIC):
        if data[:4] == known.selector:
            try:
                arguments = known.decode(data)
            except (DecodingError, OverflowError, UnicodeDecodeError):
                continue
            return RevertError(known.name, arguments, data, hint=_hint(known, arguments))
    return RevertError(
        "", (), data, hint="" if data else "Out of gas, a failed require without a text, or no contract"
    )


def _hint(error: CustomError, arguments: tuple[object, ...]) -> str:
    if error is _ERROR:
        return STRING_HINTS.get(str(arguments[0]), "")
    if error is _PANIC:
        return _PANICS.get(int(str(arguments[0])), "")
    inner = next((value for value in arguments if isinstance(value, bytes) and len(value) >= 4), b"")
    told = decode_revert(inner) if inner else None
    return f"{error.hint} Inside: {told.found}".strip() if told and told.name else error.hint
