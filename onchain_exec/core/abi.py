"""ABI items compiled once: selectors, encoders and decoders of functions, events and errors.

``web3``'s encoder costs 1 ms for a seven-field tuple; a compiled item costs 12 us.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from onchain_exec.core.encoding import get_encode
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError


def _types(signature: str) -> tuple[str, ...]:
    """Return the parameter types of ``name(type,type,...)``."""
    _, opening, parameters = signature.partition("(")
    if not opening or not parameters.endswith(")"):
        raise InputError(f"{signature!r} is not an ABI signature", needed="name(type,...)")
    kinds, depth = [""], 0
    for letter in parameters[:-1]:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            kinds.append("")
        else:
            kinds[-1] += letter
    return () if kinds == [""] else tuple(kinds)


def _decode(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    from eth_abi import decode  # noqa: PLC0415 (slow: what decodes nothing, as the journal, is not to wait)
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415

    try:
        return tuple(decode(types, data))
    except (DecodingError, OverflowError) as error:
        raise InputError(f"{len(data)} bytes do not hold ({','.join(types)})") from error


@dataclass(frozen=True, slots=True)
class Function:
    """A contract function, for example ``Function("slot0()", "(uint160,int24,...)")``.

    ``signature`` is canonical (no names, no spaces); ``returns`` a tuple type, or empty.
    """

    signature: str
    returns: str = "()"
    selector: bytes = field(init=False)
    _inputs: tuple[str, ...] = field(init=False, repr=False)
    _outputs: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", keccak(self.signature.encode())[:4])
        object.__setattr__(self, "_inputs", _types(self.signature))
        object.__setattr__(self, "_outputs", _types(self.returns))

    def encode(self, *arguments: Any) -> bytes:
        """Return calldata: the selector and the encoded arguments.

        Raises:
            InputError: another number of arguments, or one that is not of its type.
        """
        return self.selector + get_encode(self._inputs)(arguments)

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Return the decoded return values.

        Raises:
            InputError: ``data`` is shorter or other than ``returns`` says, as when no contract, or
                another one, stands at the address.
        """
        try:
            return _decode(self._outputs, data)
        except InputError as error:
            raise InputError(
                f"{self.signature} answered {len(data)} bytes that are not {self.returns}",
                needed="a contract with this function at the address",
                todo="Check the address and the chain",
            ) from error

    def decode_arguments(self, calldata: bytes) -> tuple[Any, ...]:
        """Return the arguments of ``calldata`` made by `encode`.

        Raises:
            InputError: it is calldata of another function, or is cut short.
        """
        try:
            if calldata[:4] == self.selector:
                return _decode(self._inputs, calldata[4:])
        except InputError as error:
            raise InputError(
                f"{len(calldata)} bytes do not hold the arguments of {self.signature}"
            ) from error
        raise InputError(f"calldata of selector 0x{calldata[:4].hex()}", needed=self.signature)


@dataclass(frozen=True, slots=True)
class Event:
    """A contract event. ``indexed`` are the types of the indexed parameters, ``data`` the rest,
    each in their order; ``signature`` holds all in declaration order."""

    signature: str
    indexed: tuple[str, ...]
    data: tuple[str, ...]
    topic: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "topic", keccak(self.signature.encode()))

    def decode(self, topics: tuple[bytes, ...], data: bytes) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        """Return (indexed values, data values) of a log whose first topic is ``topic``.

        Raises:
            InputError: topics or data are others than the event's.
        """
        indexed = tuple(
            _decode((kind,), word)[0] for kind, word in zip(self.indexed, topics[1:], strict=True)
        )
        return indexed, _decode(self.data, data)


@dataclass(frozen=True, slots=True)
class CustomError:
    """A Solidity custom error and, for people, what it means and what to do about it."""

    signature: str
    hint: str = ""
    selector: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", keccak(self.signature.encode())[:4])

    @property
    def name(self) -> str:
        """The error's name without its parameters."""
        return self.signature[: self.signature.index("(")]

    def decode(self, data: bytes) -> tuple[Any, ...]:
        """Return the arguments of revert data that starts with the selector.

        Raises:
            InputError: the rest is cut short, or other than ``signature`` says.
        """
        return _decode(_types(self.signature), data[4:])
