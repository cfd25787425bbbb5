"""What a state of one block refuses: what was not read with it, and times before its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from onchain_exec.errors import InputError

K = TypeVar("K")
T = TypeVar("T")


def get_read(kind: str, found: Mapping[K, T], key: K, name: Callable[[T], str] | None = None) -> T:
    """Return what was read under ``key``; ``name`` says what others are called, who go by their keys else.

    Raises:
        InputError: it was not read.
    """
    if key not in found:
        known = map(name, found.values()) if name else map(str, found)
        raise InputError(
            f"the {kind} {key} was not read",
            needed=f"one of {', '.join(known) or 'none'}",
            todo="Read the venue with it",
        )
    return found[key]


def require_not_before(since: int, at: int) -> None:
    """Refuse to see at ``at`` what was read at ``since`` or already seen then.

    Raises:
        InputError: it is earlier.
    """
    if at < since:
        raise InputError(f"{at} is before the state's time", needed=f"{since} or later")
