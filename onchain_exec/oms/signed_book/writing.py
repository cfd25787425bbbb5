"""What changes in the book within one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.clearing.settle import Lane
from onchain_exec.clearing.settle.order_book import BookedFill, OpenOrder, Refusal, RefusalCode
from onchain_exec.core import Address
from onchain_exec.errors import OrderRefusedError, UnknownOrderError
from onchain_exec.oms.signed_book.rows import Head, Kept, Over, Rows
from onchain_exec.oms.signed_book.view import BookedOrder

SETTLED_BLOCKS: Final = 512
"""No reorg went deeper: what was seen to end further back stays ended."""

MARGIN_S: Final = 3_600
"""So far may the clocks of those who share a book lie apart."""

_DROPPED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class BookLimits:
    """How many orders are kept, those that are over among them until they can be forgotten: expired, or
    ended on chain. A withdrawn one is kept until no reorg takes that back and no clock is so slow that it
    still rests, or anybody could bring it again."""

    per_owner: int = 1_000
    in_all: int = 100_000


USUAL_LIMITS: Final = BookLimits()
"""An order takes about 1.2 kB, the longest 10 kB."""


class Writing:
    """One transaction of a `SignedBook`, whose methods are explained there; with the head as it was found and
    as it is left. A method that raises has written nothing, but may have made room."""

    def __init__(self, rows: Rows, head: Head, limits: BookLimits, now: int) -> None:
        self._rows, self._limits, self._now = rows, limits, now
        self.found = self.head = head

    def add(self, signed_order: OpenOrder, lane: Lane, block_number: int) -> tuple[BookedOrder, bool]:
        order = signed_order.order
        if (known := self._rows.find(signed_order.digest)) is not None:
            return known.booked, False
        if (other := self._rows.find_place(order.owner, order.lane, order.seq)) is not None:
            raise OrderRefusedError(
                "lane_taken",
                f"seq {order.seq} of lane {order.lane} is 0x{other.booked.signed_order.digest.hex()}",
                needed="one order for each seq of a lane: they would share what is filled",
                todo="Sign it with a later seq, or on another lane",
            )
        self._make_room(order.owner, block_number)
        number = self.head.number + 1
        filled = lane.filled if lane.seq == order.seq else 0
        booked = BookedOrder(number, signed_order, self._now, filled, withdrawn=False, refusal=None)
        self._rows.insert(Kept(booked, number, block_number, filled))
        self.head = replace(self.head, number=number, kept=self.head.kept + 1)
        return booked, True

    def withdraw(self, digest: bytes) -> BookedOrder:
        kept = self._rows.find(digest)
        if kept is None:
            raise UnknownOrderError(f"the book has no order 0x{digest.hex()}")
        return kept.booked if kept.booked.withdrawn else self._change(kept.change(withdrawn=True))

    def record_fills(self, fills: Sequence[BookedFill]) -> None:
        for fill in fills:
            kept = self._rows.find(fill.digest)
            if kept is not None and self._rows.insert_fill(fill):
                self._change(self._recount(_without_passing_refusal(kept)))

    def drop_fills(self, block_hash: str) -> None:
        for digest in self._rows.forget_block(block_hash):
            if (kept := self._rows.find(digest)) is not None:
                self._change(self._recount(kept))

    def record_refusals(self, refusals: Sequence[Refusal]) -> None:
        for refusal in refusals:
            kept = self._rows.find(refusal.digest)
            before = kept and kept.booked.refusal
            if kept is None or (before and (before.code.is_final or before.code is refusal.code)):
                continue
            if refusal.code.is_final:
                kept = kept.change(base_block=refusal.block_number, base_filled=kept.booked.filled)
            self._change(kept.change(refusal=refusal))

    def lift_refusals(self, digests: Sequence[bytes]) -> None:
        for digest in digests:
            kept = self._rows.find(digest)
            if kept is not None and kept.booked.refusal is not None and not kept.booked.is_over:
                self._change(kept.change(refusal=None))

    def record_lanes(self, lanes: Mapping[tuple[Address, int], Lane], block_number: int) -> None:
        for (owner, number), lane in lanes.items():
            for kept in self._rows.list_lane(owner, number):
                self._stand(kept, lane, block_number)

    def _stand(self, kept: Kept, lane: Lane, block_number: int) -> None:
        order, booked = kept.order, kept.booked
        if lane.seq > order.seq:
            refusal = Refusal(
                booked.signed_order.digest,
                RefusalCode.LANE_PASSED,
                f"the lane stands at seq {lane.seq}",
                f"at most {order.seq}",
                block_number,
            )
            self.record_refusals([refusal])
            return
        filled = lane.filled if lane.seq == order.seq else 0
        was_over = booked.refusal is not None and booked.refusal.code.is_final
        refusal_left = None if was_over else booked.refusal
        standing = self._recount(
            kept.change(base_block=block_number, base_filled=filled, refusal=refusal_left)
        )
        if standing.booked != booked:
            self._change(standing)
        else:
            self._rows.update(standing)  # nothing that anybody is told of

    def _recount(self, kept: Kept) -> Kept:
        later = (
            fill
            for fill in self._rows.list_fills(kept.booked.signed_order.digest)
            if fill.block_number > kept.base_block
        )
        counted = (fill.amount_out if kept.order.is_exact_out else fill.amount_in for fill in later)
        return kept.change(filled=kept.base_filled + sum(counted))

    def _change(self, kept: Kept) -> BookedOrder:
        self.head = replace(self.head, number=self.head.number + 1)
        changed = kept.change(number=self.head.number)
        self._rows.update(changed)
        return changed.booked

    def _make_room(self, owner: Address, block_number: int) -> None:
        """Drop what can never come again where the owner or the book has reached its limit."""
        is_full = self._rows.count(owner) >= self._limits.per_owner
        if is_full and not self._drop(1, block_number, owner):
            raise OrderRefusedError(
                "owner_full",
                f"{owner} has {self._limits.per_owner} orders that may come again",
                needed="room for another",
                todo="Cancel lanes on chain, or wait until orders expire",
            )
        if self.head.kept >= self._limits.in_all and not self._drop(_DROPPED_AT_ONCE, block_number):
            raise OrderRefusedError(
                "book_full",
                f"the book has {self._limits.in_all} orders",
                needed="room for another",
                todo="Try again later",
            )

    def _drop(self, most: int, block_number: int, owner: Address | None = None) -> int:
        over = Over(self._now - MARGIN_S, block_number - SETTLED_BLOCKS)
        found = self._rows.list_droppable(over, most, owner)
        if found:
            self._rows.drop(digest for digest, _ in found)
            dropped = max(self.head.dropped, *(number for _, number in found))
            self.head = replace(self.head, dropped=dropped, kept=self.head.kept - len(found))
        return len(found)


def _without_passing_refusal(kept: Kept) -> Kept:
    """A fill shows that what stood in its way has passed."""
    refusal = kept.booked.refusal
    return kept if refusal is None or refusal.code.is_final else kept.change(refusal=None)
