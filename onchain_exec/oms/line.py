"""A journal line: an event with its place in the chain of hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Self, TypeAlias

import msgspec

from onchain_exec.errors import AddressError, JournalError
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.views import SlotKey

Row: TypeAlias = tuple[int, str, str, str, str, int, str, str]
"""The columns of the events table, in their order."""

GENESIS: Final = "0" * 64
"""The hash before the first line."""

_KINDS: Final = {kind.value: kind for kind in EventKind}
_TEXT: Final = msgspec.json.Encoder(order="sorted")
_VALUE: Final = msgspec.json.Decoder()


@dataclass(slots=True)
class Line:
    """An event and its row. The row's last column is sha256 over the hash before it and every other
    column, so a changed, missing or moved line breaks the chain. (Lines cut from the end do not show.)"""

    event: Event
    row: Row

    @property
    def seq(self) -> int:
        """Its number, from 1."""
        return self.row[0]

    @property
    def recorded_at(self) -> int:
        """Unix seconds."""
        return self.row[5]

    @property
    def hash(self) -> str:
        """The hash that the next line builds on."""
        return self.row[7]

    @classmethod
    def after(cls, seq: int, previous_hash: str, event: Event, recorded_at: int) -> Self:
        """Return the line that follows line ``seq`` with ``previous_hash``."""
        slot = str(event.slot) if event.slot else ""
        payload = _TEXT.encode(event.payload).decode()
        columns = (seq + 1, event.event_id, event.kind.value, event.order_id, slot, recorded_at, payload)
        return cls(event, (*columns, _hash(previous_hash, columns)))

    @classmethod
    def from_row(cls, row: Row, previous_seq: int, previous_hash: str) -> Self:
        """Return the line of a row of the events table.

        Raises:
            JournalError: it does not follow the line before it, or its content was changed.
        """
        seq, event_id, kind, order_id, slot, _, payload, line_hash = row
        if seq != previous_seq + 1 or line_hash != _hash(previous_hash, row[:-1]):
            raise JournalError(
                f"journal line {seq} does not follow line {previous_seq}: it was changed or moved",
                needed="an unbroken chain of hashes",
                todo="Restore the journal from a copy and reconcile; do not trade on this one",
            )
        try:
            place = SlotKey.parse(slot) if slot else None
            return cls(Event(event_id, _KINDS[kind], order_id, place, _VALUE.decode(payload)), row)
        except (ValueError, KeyError, AddressError) as error:
            raise JournalError(
                f"journal line {seq} cannot be read: {error}", todo="Use the release that wrote it"
            ) from error


def _hash(previous_hash: str, columns: tuple[int | str, ...]) -> str:
    return hashlib.sha256(_TEXT.encode((previous_hash, *columns))).hexdigest()
