"""What sending and waiting can come to; matched exhaustively."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from onchain_exec.core import Receipt
from onchain_exec.errors import RevertError

__all__ = [
    "Accepted",
    "AlreadyKnown",
    "Ambiguous",
    "Mined",
    "Outcome",
    "Receipt",
    "Rejected",
    "Reverted",
    "SendOutcome",
    "StillUnknown",
    "Superseded",
]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The node took the transaction into its pool (which does not prove that it spreads).

    ``refusals`` are what other endpoints said that do not have it and will not take it, ``takers`` the
    endpoints that acknowledged it, which proves nothing either.
    """

    tx_hash: str
    refusals: tuple[str, ...] = ()
    takers: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class AlreadyKnown:
    """The node had these bytes before, in its pool or mined; ``refusals`` as for `Accepted`."""

    tx_hash: str
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The node refused, and does not have the bytes: as things stand they cannot be mined anew.

    With ``nonce_consumed`` the account's nonce is past theirs. That never entitles to a new nonce:
    only `confirm` finds who took the slot, and it may have been these bytes.
    """

    tx_hash: str
    reason: str
    nonce_consumed: bool = False


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody can say whether the node took it: look the hash up, send the same bytes again."""

    tx_hash: str
    reason: str


SendOutcome: TypeAlias = Accepted | AlreadyKnown | Rejected | Ambiguous


@dataclass(frozen=True, slots=True)
class Mined:
    """Included and successful, ``confirmations`` blocks deep (1 is the head)."""

    receipt: Receipt
    confirmations: int


@dataclass(frozen=True, slots=True)
class Reverted:
    """Included and reverted; ``reason`` is the decoded error, or why there is none."""

    receipt: Receipt
    confirmations: int
    reason: RevertError | str


@dataclass(frozen=True, slots=True)
class Superseded:
    """Another transaction of the account consumed the nonce."""

    tx_hash: str
    nonce: int


@dataclass(frozen=True, slots=True)
class StillUnknown:
    """Not seen in a block within the time given. It may still be mined."""

    tx_hash: str


Outcome: TypeAlias = Mined | Reverted | Superseded | StillUnknown
