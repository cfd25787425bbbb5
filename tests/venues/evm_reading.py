"""Readings performed on an in-process EVM."""

from __future__ import annotations

from typing import Any

from onchain_exec.core import Answer, BlockRef, Reading, Snapshot
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm


def perform(evm: LocalEvm, reading: Reading[Any], chain_id: int = 1337) -> Any:
    """Drive ``reading`` to its result; every round sees the same state."""
    block = BlockRef(chain_id, 1, "0x" + "ab" * 32, evm.timestamp, 0, 30_000_000)
    try:
        calls = next(reading)
        while True:
            answers = []
            for call in calls:
                try:
                    answers.append(Answer(True, evm.static_call(call.to, call.data)))
                except RevertError as error:
                    answers.append(Answer(False, error.data))
            calls = reading.send(Snapshot(block, tuple(answers)))
    except StopIteration as done:
        return done.value
