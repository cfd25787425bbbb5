"""What must hold after a swap, or the swap does not happen: a static call, and a bound on its answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, Self

from onchain_exec.core.address import Address
from onchain_exec.core.call import Call
from onchain_exec.errors import InputError

_WORD: Final = 1 << 256


class Comparison(enum.IntEnum):
    """How what is found is compared with the bound (``IRouter.Comparison``)."""

    AT_LEAST = 0
    AT_MOST = 1
    EQUAL = 2
    SIGNED_AT_LEAST = 3
    SIGNED_AT_MOST = 4

    @property
    def signed(self) -> bool:
        """Whether both sides are int256 instead of uint256."""
        return self in (Comparison.SIGNED_AT_LEAST, Comparison.SIGNED_AT_MOST)

    @property
    def words(self) -> str:
        """The comparison for people: "at least"."""
        return (
            "exactly"
            if self is Comparison.EQUAL
            else self.name.removeprefix("SIGNED_").lower().replace("_", " ")
        )


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the state after the swap; where it fails, the whole swap reverts (``IRouter.Check``).

    Word number ``word`` (from 0) of what ``target`` answers to a static call with ``data`` is compared
    with ``bound``, in the unit of the answer: a health factor's wad, a position's base units. ``label``
    says for people what the word is; it is no part of what is run.

    Raises:
        InputError: a negative word, or a bound that its comparison's type cannot hold.
    """

    target: Address
    data: bytes
    comparison: Comparison
    bound: int
    word: int = 0
    label: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        lowest, limit = (-_WORD // 2, _WORD // 2) if self.comparison.signed else (0, _WORD)
        if not lowest <= self.bound < limit:
            kind = "int256" if self.comparison.signed else "uint256"
            raise InputError(
                f"a bound of {self.bound}", needed=f"an {kind}, as {self.comparison.name} compares"
            )
        if not 0 <= self.word < _WORD:
            raise InputError(f"word {self.word} of an answer", needed="0 for the first, or a later one")

    @classmethod
    def at_least(
        cls, call: Call, bound: int, *, word: int = 0, signed: bool = False, label: str = ""
    ) -> Self:
        """Return the condition that a word of the call's answer is ``bound`` or more."""
        kind = Comparison.SIGNED_AT_LEAST if signed else Comparison.AT_LEAST
        return cls(*_get_target(call), kind, bound, word, label)

    @classmethod
    def at_most(cls, call: Call, bound: int, *, word: int = 0, signed: bool = False, label: str = "") -> Self:
        """Return the condition that a word of the call's answer is ``bound`` or less."""
        kind = Comparison.SIGNED_AT_MOST if signed else Comparison.AT_MOST
        return cls(*_get_target(call), kind, bound, word, label)

    @classmethod
    def equal(cls, call: Call, bound: int, *, word: int = 0, label: str = "") -> Self:
        """Return the condition that a word of the call's answer is ``bound`` (of a negative number its
        two's complement)."""
        return cls(*_get_target(call), Comparison.EQUAL, bound, word, label)

    @property
    def name(self) -> str:
        """The label, or where there is none which word of which call it is."""
        return self.label or f"word {self.word} of 0x{self.data[:4].hex()} at {self.target}"

    def read_word(self, raw: int) -> int:
        """Return what a word of 256 bits says, signed where the comparison is."""
        return raw - _WORD if self.comparison.signed and raw >= _WORD // 2 else raw


def _get_target(call: Call) -> tuple[Address, bytes]:
    if call.to is None or call.value_wei or call.sender is not None or call.code:
        raise InputError(
            "a condition on a call with value, sender or code of its own, or of creation code",
            needed="a plain call of a deployed contract: the chain runs it as a static call of the router",
        )
    return call.to, call.data
