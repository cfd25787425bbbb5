"""A journal line: an event with its place in the chain of hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Self

import msgspec

from onchain_exec.errors import AddressError, JournalError
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.views import SlotKey

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
        return cls(seq + 1, event, recorded_at, _hash(previous_hash, _columns(seq + 1, event, recorded_at)))

    def to_row(self) -> dict[str, Any]:
        """Return the line as a row of the events table."""
        return {**_columns(self.seq, self.event, self.recorded_at), "hash": self.hash}

    @classmethod
    def from_row(cls, row: dict[str, Any], previous_seq: int, previous_hash: str) -> Self:
        """Return the line of a row of the events table.

        Raises:
            JournalError: it does not follow the line before it, or its content was changed.
        """
        columns = {name: value for name, value in row.items() if name != "hash"}
        if row["seq"] != previous_seq + 1 or row["hash"] != _hash(previous_hash, columns):
            raise JournalError(
                f"journal line {row['seq']} does not follow line {previous_seq}: it was changed or moved",
                needed="an unbroken chain of hashes",
                todo="Restore the file from a copy and reconcile; do not trade on this one",
            )
        try:
            event = Event(
                event_id=row["event_id"],
                kind=EventKind(row["kind"]),
                order_id=row["order_id"],
                slot=SlotKey.parse(row["slot"]) if row["slot"] else None,
                payload=msgspec.json.decode(row["payload"]),
            )
        except (ValueError, AddressError) as error:
            raise JournalError(
                f"journal line {row['seq']} cannot be read: {error}", todo="Use the release that wrote it"
            ) from error
        return cls(row["seq"], event, row["recorded_at"], row["hash"])


def _columns(seq: int, event: Event, recorded_at: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "event_id": event.event_id,
        "kind": event.kind.value,
        "order_id": event.order_id,
        "slot": str(event.slot) if event.slot else "",
        "recorded_at": recorded_at,
        "payload": msgspec.json.encode(event.payload, order="sorted").decode(),
    }


def _hash(previous_hash: str, columns: dict[str, Any]) -> str:
    canonical = msgspec.json.encode(columns, order="sorted")
    return hashlib.sha256(previous_hash.encode() + canonical).hexdigest()
