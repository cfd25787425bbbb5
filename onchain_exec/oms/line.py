"""A journal line: an event with its place in the chain of hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import msgspec

from onchain_exec.errors import AddressError, JournalError
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.views import SlotKey

Row: TypeAlias = tuple[int, str, str, str, str, int, str, str]

GENESIS: Final = "0" * 64
"""The hash before the first line."""


@dataclass(frozen=True, slots=True)
class Line:
    """``seq`` counts from 1. ``hash`` is sha256 over the hash before it and every other column, so
    a changed, missing or moved line breaks the chain. (Lines cut from the end do not show.)"""

    seq: int
    event: Event
    recorded_at: int
    hash: str

    @classmethod
    def after(cls, seq: int, previous_hash: str, event: Event, recorded_at: int) -> Self:
        """Return the line that follows line ``seq`` with ``previous_hash``."""
        row = cls(seq + 1, event, recorded_at, "").to_row()
        return cls(seq + 1, event, recorded_at, _hash(previous_hash, tuple(row.values())[:-1]))

    def to_row(self) -> dict[str, Any]:
        """Return the line as a row of the events table."""
        event = self.event
        return {
            "seq": self.seq,
            "event_id": event.event_id,
            "kind": event.kind.value,
            "order_id": event.order_id,
            "slot": str(event.slot) if event.slot else "",
            "recorded_at": self.recorded_at,
            "payload": msgspec.json.encode(event.payload, order="sorted").decode(),
            "hash": self.hash,
        }

    @classmethod
    def from_row(cls, row: Row, previous_seq: int, previous_hash: str) -> Self:
        """Return the line of a row of the events table, its columns in their order.

        Raises:
            JournalError: it does not follow the line before it, or its content was changed.
        """
        seq, event_id, kind, order_id, slot, recorded_at, payload, line_hash = row
        if seq != previous_seq + 1 or line_hash != _hash(previous_hash, row[:-1]):
            raise JournalError(
                f"journal line {seq} does not follow line {previous_seq}: it was changed or moved",
                needed="an unbroken chain of hashes",
                todo="Restore the journal from a copy and reconcile; do not trade on this one",
            )
        try:
            event = Event(
                event_id=event_id,
                kind=EventKind(kind),
                order_id=order_id,
                slot=SlotKey.parse(slot) if slot else None,
                payload=msgspec.json.decode(payload),
            )
        except (ValueError, AddressError) as error:
            raise JournalError(
                f"journal line {seq} cannot be read: {error}", todo="Use the release that wrote it"
            ) from error
        return cls(seq, event, recorded_at, line_hash)


def _hash(previous_hash: str, columns: tuple[int | str, ...]) -> str:
    return hashlib.sha256(msgspec.json.encode((previous_hash, *columns))).hexdigest()
