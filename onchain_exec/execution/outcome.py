"""What sending and waiting can come to; matched exhaustively."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from onchain_exec.core import Address, Log


@dataclass(frozen=True, slots=True)
class Accepted:
    """The node took the transaction into its pool (which does not prove that it spreads)."""

    tx_hash: str


@dataclass(frozen=True, slots=True)
class AlreadyKnown:
    """The node had these bytes before, in its pool or mined."""

    tx_hash: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The node refused for good: these bytes can never be mined as things stand."""

    tx_hash: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Nobody can say whether the node took it: look the hash up, send the same bytes again."""

    tx_hash: str
    reason: str


SendOutcome: TypeAlias = Accepted | AlreadyKnown | Rejected | Ambiguous


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose block hash was canonical when it was read. Amounts in wei; ``l1_fee_wei`` is
    the data fee that some rollups charge besides gas."""

    tx_hash: str
    block_number: int
    block_hash: str
    success: bool
    gas_used: int
    effective_gas_price_wei: int
    l1_fee_wei: int
    sender: Address
    to: Address | None
    logs: tuple[Log, ...]

    @property
    def cost_wei(self) -> int:
        """What the sender paid for inclusion."""
        return self.gas_used * self.effective_gas_price_wei + self.l1_fee_wei


@dataclass(frozen=True, slots=True)
class Mined:
    """Included and successful, ``confirmations`` blocks deep (1 is the head)."""

    receipt: Receipt
    confirmations: int


@dataclass(frozen=True, slots=True)
class Reverted:
    """Included and reverted; ``reason`` is the decoded error."""

    receipt: Receipt
    confirmations: int
    reason: str


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
