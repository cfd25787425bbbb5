"""Search over integers where a condition holds up to some point and not beyond it."""

from __future__ import annotations

from collections.abc import Callable


def find_largest(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the largest n in low..high for which ``holds``; ``low`` is taken to hold.

    The step doubles from ``low`` until the condition fails, then halves: about 2 * log2(result - low)
    calls, however large ``high`` is.
    """
    step = 1
    while low + step <= high and holds(low + step):
        low += step
        step *= 2
    high = min(high, low + step - 1) if low + step <= high else high
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
