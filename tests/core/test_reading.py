"""Laws of readings: side by side they give what each alone gives, in as few rounds as the longest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.core import Answer, BlockRef, Call, Reading, Snapshot, all_of
from onchain_exec.errors import StateError

BLOCK = BlockRef(1, 7, "0x" + "ab" * 32, 0, 0, 0)


def ask(label: int, rounds: list[int]) -> Reading[list[bytes]]:
    """Yield one batch per entry of ``rounds`` with that many calls; return all answers."""
    answers: list[bytes] = []
    for number, size in enumerate(rounds):
        calls = tuple(Call(None, bytes([label, number, i])) for i in range(size))
        snapshot = yield calls
        answers.extend(answer.data for answer in snapshot.answers)
    return answers


def drive(reading: Reading[object]) -> tuple[object, int]:
    """Answer every call with its own data, reversed; return the result and the number of rounds."""
    rounds = 0
    try:
        calls = next(reading)
        while True:
            rounds += 1
            calls = reading.send(Snapshot(BLOCK, tuple(Answer(True, call.data[::-1]) for call in calls)))
    except StopIteration as done:
        return done.value, rounds


shapes = st.lists(st.lists(st.integers(0, 3), max_size=4), max_size=5)


@given(shapes)
def test_all_of_returns_what_each_reading_returns_alone(shape: list[list[int]]) -> None:
    together, rounds = drive(all_of([ask(label, sizes) for label, sizes in enumerate(shape)]))
    alone = tuple(drive(ask(label, sizes))[0] for label, sizes in enumerate(shape))
    assert together == alone
    assert rounds == max((len(sizes) for sizes in shape), default=0)


def test_all_of_when_one_reading_raises_raises() -> None:
    def fails() -> Reading[None]:
        yield (Call(None, b""),)
        raise StateError("no")

    with pytest.raises(StateError):
        drive(all_of([ask(0, [1, 1]), fails()]))
