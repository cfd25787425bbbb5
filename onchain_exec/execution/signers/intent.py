"""What bytes would do once they are signed, at the most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from onchain_exec.core import Address


@dataclass(frozen=True, slots=True)
class Allowance:
    """What would stand: ``spender`` may pull up to ``amount`` of ``token``."""

    token: Address
    spender: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Intent:
    """The most that a transaction or message can do to its account.

    ``target`` and ``selector`` are what it calls (no selector: a plain transfer of native coin).
    ``spends`` is what may leave the account by token (the zero address is the native coin),
    ``receivers`` who gets what is bought or moved. ``is_bounded`` tells whether every swap in it has
    a minimum, and leaves nothing behind where anyone may take it.
    """

    target: Address
    selector: bytes
    spends: Mapping[Address, int] = field(default_factory=dict)
    receivers: frozenset[Address] = frozenset()
    allowances: tuple[Allowance, ...] = ()
    is_bounded: bool = True
