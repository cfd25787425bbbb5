"""Readings performed on answers that were kept: what a chain said before and after each deed.

An answer of one word is kept without its leading zeros, any other after ``#``; a call that lends code to its
contract is marked by ``*``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from onchain_exec.core import Address, Answer, BlockRef, Call, Reading, Snapshot, to_address

T = TypeVar("T")
GOLDEN = Path(__file__).parents[2] / "golden"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text("utf-8"))
    return found


@dataclass(slots=True)
class Recording:
    """A chain's answers by call, as of the last ones that were learnt."""

    contracts: list[str]
    keys: list[str]
    _answers: dict[str, str] = field(default_factory=dict)

    def learn(self, changed: Mapping[str, str]) -> None:
        """Take the answers that changed, by the number of their call."""
        self._answers.update({self.keys[int(number)]: answer for number, answer in changed.items()})

    def perform(self, reading: Reading[T], at: int) -> T:
        """Drive ``reading`` to its result."""
        block = BlockRef(1337, 1, "0x" + "ab" * 32, at, 0, 30_000_000)
        try:
            calls = next(reading)
            while True:
                calls = reading.send(Snapshot(block, tuple(self._answer(call) for call in calls)))
        except StopIteration as done:
            result: T = done.value
            return result

    def _answer(self, call: Call) -> Answer:
        key = f"{self._find(call.to)}{'*' if call.code else ''}:{call.data.hex()}"
        kept = self._answers[key]
        return Answer(True, bytes.fromhex(kept[1:] if kept.startswith("#") else kept.rjust(64, "0")))

    def _find(self, contract: Address | None) -> int:
        assert contract is not None
        return self.contracts.index(contract)


def to_addresses(values: list[str]) -> tuple[Address, ...]:
    return tuple(map(to_address, values))
