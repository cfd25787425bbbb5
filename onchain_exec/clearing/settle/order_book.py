"""What who keeps a book of signed orders and who settles from it agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from onchain_exec.clearing.settle.fill import Signed
from onchain_exec.clearing.settle.order import Domain, SettleOrder


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """A signed order that waits; ``digest`` is its EIP-712 digest, and names it."""

    digest: bytes
    order: SettleOrder
    signed: Signed


class RefusalCode(StrEnum):
    """Why an order cannot be settled now. Those for ever end it; the others may pass."""

    EXPIRED = "expired"
    LANE_PASSED = "lane_passed"
    """It was cancelled, or a later one on its lane was filled."""
    USED_UP = "used_up"
    NOT_SIGNED = "not_signed"
    """The owner's contract may say otherwise later; a key may not."""
    FOREIGN_MATCHER = "foreign_matcher"
    BALANCE_SHORT = "balance_short"
    ALLOWANCE_SHORT = "allowance_short"
    REVERTS = "reverts"
    """All that can be read of it is well, and yet a batch with it reverts: a token or its owner's code."""

    @property
    def is_final(self) -> bool:
        """Whether no block after it can lift it; one in its place (a reorg) can."""
        return self in (RefusalCode.EXPIRED, RefusalCode.LANE_PASSED, RefusalCode.USED_UP)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order that ``block_number`` does not let be settled; ``found`` and ``needed`` are for people."""

    digest: bytes
    code: RefusalCode
    found: str
    needed: str
    block_number: int


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A fill on chain, base units: ``amount_in`` left the owner, ``amount_out`` reached the receiver and
    ``fee`` of the token bought went to the matcher. (``block_hash``, ``log_index``) is where it is told."""

    digest: bytes
    amount_in: int
    amount_out: int
    fee: int
    tx_hash: str
    block_number: int
    block_hash: str
    log_index: int


class OrderBook(Protocol):
    """Signed orders of one `Domain` that wait, kept by whoever takes them in.

    Everything may be called again with the same: a solver that was killed begins from what the chain
    and its journal say.
    """

    @property
    def domain(self) -> Domain:
        """The contract and chain that all of its orders are signed for."""

    def list_open(self, at: int) -> Sequence[OpenOrder]:
        """Return the orders that may be filled at unix second ``at`` as far as the book knows, the one that
        came first first."""

    def record_fills(self, fills: Sequence[BookedFill]) -> None:
        """Record fills that were mined, each once, whoever settled them."""

    def drop_fills(self, block_hash: str) -> None:
        """Forget the fills of a block that has left the chain."""

    def record_refusals(self, refusals: Sequence[Refusal]) -> None:
        """Record why orders were passed over; those refused for ever are open no more."""
