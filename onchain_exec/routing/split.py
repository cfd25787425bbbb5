"""Divide one amount among paths: exact quotes, steps that halve.

The paths' outputs are concave in what they are given, so moving a step from the path that loses
least to the path that gains most, until no move helps, and then halving the step, ends at the best
integer split of independent paths (the scaling greedy of resource allocation, Hochbaum 1994).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from onchain_exec.errors import PoolRevertError

Value = Callable[[int], int]
"""Base units of benefit of an amount: what it gives, or minus what it takes."""

UNFILLABLE: Final = -(1 << 512)
_FIRST_STEPS: Final = 32
_LAST_STEP: Final = 1 << 20


def value_of(quote: Callable[[int], int], sign: int) -> Value:
    """Return ``sign * quote``, zero for nothing, and `UNFILLABLE` where the pool would revert."""

    def value(amount: int) -> int:
        if amount == 0:
            return 0
        try:
            return sign * quote(amount)
        except PoolRevertError:
            return UNFILLABLE

    return value


def split_amount(amount: int, values: Sequence[Value]) -> list[int]:
    """Return amounts, one per value, that add up to ``amount`` and maximise the sum of values.

    The first steps are ``amount / 32``, the last about a millionth of it.
    """
    amounts, worth = [0] * len(values), [0] * len(values)

    def move(source: int | None, target: int, step: int) -> None:
        amounts[target] += step
        worth[target] = values[target](amounts[target])
        if source is not None:
            amounts[source] -= step
            worth[source] = values[source](amounts[source])

    step = -(-amount // _FIRST_STEPS)
    while left := amount - sum(amounts):
        chunk = min(step, left)
        gains = [value(a + chunk) - w for value, a, w in zip(values, amounts, worth, strict=True)]
        move(None, gains.index(max(gains)), chunk)
    while step > max(1, amount // _LAST_STEP):
        step = -(-step // 2)
        for _ in range(2 * len(values)):
            gains = [value(a + step) - w for value, a, w in zip(values, amounts, worth, strict=True)]
            losses = [
                w - value(a - step) if a >= step else -UNFILLABLE
                for value, a, w in zip(values, amounts, worth, strict=True)
            ]
            target, source = gains.index(max(gains)), losses.index(min(losses))
            if target == source or gains[target] <= losses[source]:
                break
            move(source, target, step)
    return amounts
