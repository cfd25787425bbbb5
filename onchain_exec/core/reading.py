"""Reads that need several rounds, still without I/O.

A `Reading` is a generator: it yields a batch of calls, is sent the `Snapshot` with their answers,
yields the next batch or returns its result. `chain` drives it, every round at the same block.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any, TypeAlias, TypeVar

from onchain_exec.core.call import Call, Snapshot

T = TypeVar("T")
Reading: TypeAlias = Generator[tuple[Call, ...], Snapshot, T]


def all_of(readings: Sequence[Reading[Any]]) -> Reading[tuple[Any, ...]]:
    """Return one reading that runs ``readings`` side by side, each round of all in one batch.

    The result keeps their order. An error raised by one ends all.
    """
    results: list[Any] = [None] * len(readings)
    pending: dict[int, tuple[Call, ...]] = {}
    for index, reading in enumerate(readings):
        _advance(index, reading, None, pending, results)
    while pending:
        wanted = list(pending.items())
        snapshot = yield tuple(call for _, calls in wanted for call in calls)
        pending, start = {}, 0
        for index, calls in wanted:
            answers = snapshot.answers[start : start + len(calls)]
            start += len(calls)
            _advance(index, readings[index], Snapshot(snapshot.block, answers), pending, results)
    return tuple(results)


def _advance(
    index: int,
    reading: Reading[Any],
    snapshot: Snapshot | None,
    pending: dict[int, tuple[Call, ...]],
    results: list[Any],
) -> None:
    try:
        pending[index] = next(reading) if snapshot is None else reading.send(snapshot)
    except StopIteration as done:
        results[index] = done.value
