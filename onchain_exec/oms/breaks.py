"""What keeps journal and chain apart, once the journal is brought up to the chain."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class BreakCode(enum.StrEnum):
    """What keeps journal and chain apart."""

    FOREIGN_NONCE = "FOREIGN_NONCE"  # a transaction that is not ours took the nonce
    FILL_DIFFERS = "FILL_DIFFERS"  # the chain moved other amounts than were recorded
    RECEIPT_MISSING = "RECEIPT_MISSING"  # the block stands, the node has no receipt, or log, (yet)
    NODE_BEHIND = "NODE_BEHIND"  # the node's head is below what the journal has seen
    BALANCE_DIFFERS = "BALANCE_DIFFERS"  # an account gained or lost what no transaction of ours moved
    ALLOWANCE_DIFFERS = "ALLOWANCE_DIFFERS"  # more may be pulled than an approval of ours granted
    ALLOWANCE_LEFT = "ALLOWANCE_LEFT"  # an approval of ours stands, and what is under way needs less
    NONCE_GAP = "NONCE_GAP"  # nobody will use this nonce, and later ones wait for it


@dataclass(frozen=True, slots=True)
class Break:
    """A difference that no correction removes, and what to do about it."""

    code: BreakCode
    order_id: str
    found: str
    expected: str
    todo: str

    def to_json(self) -> dict[str, Any]:
        """Return the break as JSON values."""
        return {
            "code": self.code.value,
            "order_id": self.order_id,
            "found": self.found,
            "expected": self.expected,
            "todo": self.todo,
        }


@dataclass(frozen=True, slots=True)
class Unclear:
    """The node cannot be right, or not yet: nothing follows from what it says."""

    found: Break

    @classmethod
    def of(cls, code: BreakCode, order_id: str, found: str, expected: str) -> Unclear:
        """Return what another node, or the same one later, may tell."""
        return cls(Break(code, order_id, found, expected, "Run it again, or ask another node"))
