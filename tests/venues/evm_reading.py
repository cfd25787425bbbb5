"""Readings performed on an in-process EVM."""

from __future__ import annotations

from typing import TypeVar

from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import Answer, BlockRef, Call, Reading, Snapshot
from onchain_exec.errors import RevertError
from onchain_exec.testing.evm import LocalEvm

T = TypeVar("T")


def perform(evm: LocalEvm, reading: Reading[T], chain_id: int = 1337) -> T:
    """Drive ``reading`` to its result, state overrides included; every round sees the same state."""
    block = BlockRef(chain_id, 1, "0x" + "ab" * 32, evm.timestamp, 0, 30_000_000)
    try:
        calls = next(reading)
        while True:
            calls = reading.send(Snapshot(block, tuple(_answer(evm, call) for call in calls)))
    except StopIteration as done:
        result: T = done.value
        return result


def _answer(evm: LocalEvm, call: Call) -> Answer:
    assert call.to is not None
    own = evm.get_code(call.to) if call.code else b""
    if call.code:
        evm.set_code(call.to, call.code)
    try:
        return Answer(True, evm.static_call(call.to, call.data, call.sender or DEPLOYER))
    except RevertError as error:
        return Answer(False, error.data)
    finally:
        if own:
            evm.set_code(call.to, own)  # lent code is no change of state, so nothing reverts it
