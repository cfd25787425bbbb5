"""Revert data as an error that says what happened and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.chain.known_errors import KNOWN_ERRORS, STRING_HINTS
from onchain_exec.core.abi import CustomError
from onchain_exec.errors import InputError, RevertError

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


@dataclass(frozen=True, slots=True)
class _Match:
    error: CustomError
    arguments: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.error.name}({', '.join(str(argument) for argument in self.arguments)})"

    @property
    def hint(self) -> str:
        if self.error is _ERROR:
            return STRING_HINTS.get(self.arguments[0], "")
        if self.error is _PANIC:
            return _PANICS.get(self.arguments[0], "")
        return self.error.hint


def decode_revert(data: bytes, errors: Iterable[CustomError] = ()) -> RevertError:
    """Return the error that ``data`` encodes: Error(string), Panic(uint256), or a custom error.

    ``errors`` are looked at before the known ones (Uniswap v2 to v4, routers, Permit2, ERC-20). An
    error that wraps another's data (ERC-7751, routers) tells the innermost one in its hint. Data
    that match nothing, or only begin like a known error, give an empty name. Never raises.
    """
    known = (*errors, *KNOWN_ERRORS, _ERROR, _PANIC)
    outer = _find_match(data, known)
    if outer is None:
        hint = "" if data else "Out of gas, a check without a text, or no such function at the address"
        return RevertError("", (), data, hint=hint)
    innermost = outer
    while inner := _find_inner(innermost, known):
        innermost = inner
    told = (outer.hint,) if innermost is outer else (outer.hint, f"Inside: {innermost}.", innermost.hint)
    return RevertError(outer.error.name, outer.arguments, data, hint=" ".join(filter(None, told)))


def _find_match(data: bytes, known: Sequence[CustomError]) -> _Match | None:
    for error in known:
        if data[:4] == error.selector:
            try:
                return _Match(error, error.decode(data))
            except (InputError, UnicodeDecodeError):
                continue
    return None


def _find_inner(outer: _Match, known: Sequence[CustomError]) -> _Match | None:
    wrapped = (argument for argument in outer.arguments if isinstance(argument, bytes))
    return next(filter(None, (_find_match(data, known) for data in wrapped)), None)
