"""What an allowance needs, and that it is never more: catalogue entries 73, 74."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import BLOCK, ROUTER, SOLD, TRADER, make_approved

from onchain_exec.core import Answer, Call, Snapshot
from onchain_exec.execution import AllowanceStep, find_allowance_step
from onchain_exec.risk import Approved
from onchain_exec.venues.erc20 import APPROVE

NEEDED = 10**6


def run(approved: Approved, answer: Answer | None = None) -> tuple[AllowanceStep, tuple[Call, ...]]:
    """Perform the reading with one answer to whatever it asks."""
    reading, asked = find_allowance_step(approved), ()
    try:
        asked = next(reading)
        assert answer is not None
        reading.send(Snapshot(BLOCK, (answer,)))
    except StopIteration as done:
        return done.value, asked
    raise AssertionError("it asks twice")


@given(st.integers(NEEDED, 2**256 - 1))
def test_find_allowance_step_with_enough_asks_and_grants_nothing(allowance: int) -> None:
    assert run(make_approved(allowance)) == (AllowanceStep.NONE, ())


def test_find_allowance_step_with_none_grants_without_asking() -> None:
    assert run(make_approved(0)) == (AllowanceStep.GRANT, ())


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (Answer(True, (1).to_bytes(32)), AllowanceStep.GRANT),
        (Answer(True, b""), AllowanceStep.GRANT),  # USDT's approve returns nothing
        (Answer(True, bytes(32)), AllowanceStep.RESET_AND_GRANT),  # refuses by returning false
        (Answer(False, b""), AllowanceStep.RESET_AND_GRANT),
    ],
)
@pytest.mark.parametrize("allowance", [1, NEEDED - 1])
def test_find_allowance_step_with_too_little_asks_the_token(
    allowance: int, answer: Answer, step: AllowanceStep
) -> None:
    found, asked = run(make_approved(allowance), answer)
    assert found is step
    assert asked == (Call(SOLD.address, APPROVE.encode(ROUTER, NEEDED), sender=TRADER),)
