"""A condition on the command line: a static call and a bound on its answer, in one text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from eth_abi import is_encodable

from onchain_exec.core import Comparison, Condition, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError

_FORM: Final = (
    "TARGET FUNCTION(TYPES)[WORD] ARGUMENTS COMPARISON BOUND; [WORD] only where it is not the first"
)
_FUNCTION: Final = re.compile(r"(?P<signature>\w+\((?P<types>[\w,]*)\))(\[(?P<word>\d+)\])?")
_COMPARISONS: Final = {
    ">=": Comparison.AT_LEAST,
    "<=": Comparison.AT_MOST,
    "==": Comparison.EQUAL,
    "s>=": Comparison.SIGNED_AT_LEAST,
    "s<=": Comparison.SIGNED_AT_MOST,
}
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "address": to_address,
    "uint": lambda text: int(text, 0),
    "int": lambda text: int(text, 0),
    "bool": lambda text: bool(["false", "true"].index(text)),
    "bytes": lambda text: bytes.fromhex(text.removeprefix("0x")),
}
"""By a type's name without its size."""

Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        help='What must hold after the swap, or it reverts: "0xTOKEN balanceOf(address) 0xOWNER >= 1000". '
        "Words of an answer are counted from 0: getUserAccountData(address)[5]. s>= and s<= compare int256.",
    ),
]


def parse_condition(text: str) -> Condition:
    """Return the condition that a text says: a target, a function with the word of its answer in
    brackets (0 without), its arguments, a comparison (>=, <=, ==, s>=, s<=), a bound in base units.

    Raises:
        InputError: the text is not of this form, or an argument not of its type.
    """
    match text.split():
        case [target, called, *arguments, sign, bound] if sign in _COMPARISONS:
            function = _FUNCTION.fullmatch(called)
        case _:
            function = None
    if function is None:
        raise InputError(f"{text!r} is no condition", needed=_FORM)
    try:
        types = function["types"].split(",") if function["types"] else []
        values = [_read(kind, given) for kind, given in zip(types, arguments, strict=True)]
        data, word = Function(function["signature"]).encode(*values), int(function["word"] or 0)
        return Condition(
            to_address(target), data, _COMPARISONS[sign], int(bound, 0), word, f"{called} of {target}"
        )
    except ValueError as error:
        raise InputError(f"{text!r}: {error}", needed=_FORM) from error


def _read(kind: str, text: str) -> Any:
    reader = _READERS.get(kind.rstrip("0123456789"))
    if reader is None:
        raise InputError(f"an argument of type {kind}", needed=f"one of {', '.join(_READERS)}, of any size")
    value = reader(text)
    if not is_encodable(kind, value):
        raise InputError(f"{text} is no {kind}")
    return value
