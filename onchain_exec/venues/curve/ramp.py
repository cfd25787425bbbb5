"""Parameters that their contract moves in a straight line from one time to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Ramp:
    """From the ``start`` values at ``started_at`` to the ``end`` values at ``ends_at`` (unix seconds)."""

    start: tuple[int, ...]
    end: tuple[int, ...]
    started_at: int
    ends_at: int

    def is_moving(self, at: int) -> bool:
        """Return whether it goes on at a time."""
        return at < self.ends_at

    def get_values(self, at: int) -> tuple[int, ...]:
        """Return the values at a time; mirror of CryptoSwap's ``_A_gamma``, rounded down."""
        if not self.is_moving(at):
            return self.end
        done, left = at - self.started_at, self.ends_at - at
        pairs = zip(self.start, self.end, strict=True)
        return tuple((first * left + last * done) // (done + left) for first, last in pairs)

    def get_amp(self, at: int) -> int:
        """Return the first value at a time; mirror of StableSwap's ``_A``, rounded towards the start."""
        first, last = self.start[0], self.end[0]
        if not self.is_moving(at):
            return last
        moved = abs(last - first) * (at - self.started_at) // (self.ends_at - self.started_at)
        return first + moved if last > first else first - moved

    def to_json(self) -> dict[str, Any]:
        """Return the ramp as JSON values, integers as strings."""
        return {
            "start": [str(value) for value in self.start],
            "end": [str(value) for value in self.end],
            "started_at": str(self.started_at),
            "ends_at": str(self.ends_at),
        }

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Self:
        """Return the ramp that `to_json` wrote."""
        start, end = (tuple(int(value) for value in state[name]) for name in ("start", "end"))
        return cls(start, end, int(state["started_at"]), int(state["ends_at"]))
