"""Reads as data: a venue describes them, `chain` performs them at one block, the venue decodes."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.address import Address
from onchain_exec.core.block import BlockRef


@dataclass(frozen=True, slots=True)
class Call:
    """One read-only call. ``to`` None runs ``data`` as creation code (its return value is the answer).

    ``code`` (with ``to``) is runtime bytecode that the call finds at ``to`` instead of what is
    there, through a state override: how a lens runs where it is not deployed.
    """

    to: Address | None
    data: bytes
    value_wei: int = 0
    sender: Address | None = None
    code: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave: return data, or revert data when ``success`` is False."""

    success: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The answers to a tuple of calls, in their order, all from one block."""

    block: BlockRef
    answers: tuple[Answer, ...]
