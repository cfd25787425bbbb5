"""A signed order as the book knows it, and what state that is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from onchain_exec.clearing.settle.order_book import OpenOrder, Refusal, RefusalCode
from onchain_exec.oms.signed_book.terms import order_to_json, signed_to_json


class RestState(StrEnum):
    """What has become of a signed order."""

    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    REFUSED = "refused"
    """It was passed over at the block that its refusal names, and still rests: that may pass."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    """On chain by its lane, or withdrawn: a withdrawn one is shown to nobody new, but who has it may still
    fill it until its lane or its deadline has passed."""
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """A signed order after change ``number`` of the book. ``filled`` counts as the order's size does."""

    number: int
    signed_order: OpenOrder
    received_at: int
    filled: int
    withdrawn: bool
    refusal: Refusal | None

    @property
    def is_over(self) -> bool:
        """Whether the chain lets nothing of it be filled any more, whatever the time."""
        passed = self.refusal is not None and self.refusal.code.is_final
        return passed or self.filled >= self.signed_order.order.size

    def get_state(self, at: int) -> RestState:
        """Return its state at unix second ``at``."""
        order, code = self.signed_order.order, self.refusal and self.refusal.code
        if self.filled >= order.size or code is RefusalCode.USED_UP:
            return RestState.FILLED
        if self.withdrawn or code is RefusalCode.LANE_PASSED:
            return RestState.CANCELLED
        if at > order.deadline_at or code is RefusalCode.EXPIRED:
            return RestState.EXPIRED
        if code is not None:
            return RestState.REFUSED
        return RestState.PARTLY_FILLED if self.filled else RestState.OPEN

    def to_json(self, at: int) -> dict[str, Any]:
        """Return it as JSON values, with its state at unix second ``at``."""
        resting, refusal = self.signed_order, self.refusal
        return {
            "digest": "0x" + resting.digest.hex(),
            "number": self.number,
            "state": self.get_state(at).value,
            "filled": str(self.filled),
            "received_at": self.received_at,
            "order": order_to_json(resting.order),
            "signed": signed_to_json(resting.signed),
            "refusal": refusal
            and {
                "code": refusal.code.value,
                "found": refusal.found,
                "needed": refusal.needed,
                "block_number": refusal.block_number,
            },
        }
