"""What was asked, what was done to it, what reached the node, and what came back."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec

from onchain_exec.testing.lying_node.exchange import Answer, Call
from onchain_exec.testing.lying_node.faults import Fault


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. ``faults`` are those it met, the outermost first, ``reached`` the calls that the node got
    for it, and ``answer`` what the client got, None while it waits.

    An event of a subscription is an entry of method ``eth_subscription``, its answer what the
    subscriber got (`Result` of None: nothing). ``took_s`` is not compared: equal entries are the same
    conversation, not the same speed.
    """

    call: Call
    faults: tuple[Fault, ...] = ()
    reached: tuple[Call, ...] = ()
    answer: Answer | None = None
    took_s: float = field(default=0.0, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON values, the kinds of faults and answer named."""
        return {
            "method": self.call.method,
            "params": self.call.params,
            "faults": [_named(fault) for fault in self.faults],
            "reached": [dataclasses.asdict(call) for call in self.reached],
            "answer": self.answer and _named(self.answer),
            "took_s": round(self.took_s, 6),
        }


class Transcript:
    """Every entry, in the order in which the calls came. Kept until cleared."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._numbers = itertools.count()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def add(self, entry: Entry) -> int:
        """Append an entry and return its number, for `update`."""
        number = next(self._numbers)
        self._entries[number] = entry
        return number

    def update(self, number: int, entry: Entry) -> None:
        """Put what is known by now in an entry's place, unless it was cleared."""
        if number in self._entries:
            self._entries[number] = entry

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()

    def of(self, method: str) -> list[Entry]:
        """Return the entries whose method matches a pattern (``eth_get*``)."""
        return [entry for entry in self if fnmatchcase(entry.call.method, method)]

    def write(self, path: Path) -> None:
        """Write one JSON document per line."""
        lines = (msgspec.json.encode(entry.to_json(), enc_hook=_named) for entry in self)
        path.write_bytes(b"".join(line + b"\n" for line in lines))


def _named(value: Any) -> dict[str, Any]:
    """Return a fault or an answer as its name and fields."""
    fields = dataclasses.fields(value)
    return {"kind": type(value).__name__} | {item.name: getattr(value, item.name) for item in fields}
