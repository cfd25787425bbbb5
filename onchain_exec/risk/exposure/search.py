"""The front-runs that gain most under a bound, on one pool of the victim's route or on several at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from onchain_exec.risk.exposure.allocation import Point, allocate
from onchain_exec.risk.exposure.trials import FastTrials
from onchain_exec.risk.exposure.victim import Victim

_FIRST_SHIFT: Final = 6
"""A scan begins with this many halvings of what the victim swaps in the pool."""

_STEP: Final = 4
_LARGEST: Final = 1 << 128

_ROUNDS: Final = 6
_POINTS: Final = 6
_SHRINK: Final = 3
"""Grids of so many steps, at most so often, each over a third of the one before."""

_SETTLED: Final = 1e-6
"""Of the gain: grids end where a finer one adds less."""

_LITTLE: Final = 1_000
_NEAR: Final = 1e-2
_CLOSE: Final = 1e-9
"""Of the loss that is allowed: how much of it may be left unused in a scan, and in the end."""

_CLIFF: Final = 1e-4
"""Where liquidity ends, that little more in may move the loss by as much as it allows."""


class Search:
    """Attacks on one victim. Gains count in floats, in the token that the route's search maximised; what
    is found is for `ExactTrials` to confirm.

    ``charge`` is what a base unit of capital costs, beside what the pools take of it.
    """

    def __init__(self, victim: Victim, trials: FastTrials, charge: float = 0.0) -> None:
        self._victim, self._trials, self._charge = victim, trials, charge
        self._values = [float(target.value) for target in victim.targets]
        self._nothing = (0,) * len(victim.targets)

    def find_amounts(self, slack: int, numbers: Sequence[int]) -> tuple[int, ...]:
        """Return what to put into each target, of those with ``numbers`` only, so that the victim loses
        no more than ``slack``.

        Each target is scanned by itself from little to the most that fits; then the best division among
        them is looked for. Where liquidity ends one alone may gain more than any division that begins
        with a little of each: it is looked at as well.
        """
        if not numbers:
            return self._nothing
        curves = {number: self.scan(number, slack) for number in numbers}
        amounts = self._divide(slack, curves)
        best, number = max((max(point.gain for point in curve), number) for number, curve in curves.items())
        found = self._try(amounts)
        if found is None or found.gain < best:
            amounts = self._divide(slack, {number: curves[number]})
        return amounts

    def _divide(self, slack: int, curves: Mapping[int, Sequence[Point]]) -> tuple[int, ...]:
        """Return the best division among targets, on ever finer grids around the last one found, so that
        targets that feed one another settle together. What at first gets nothing is left out."""
        allocation = allocate(list(curves.values()), slack)
        found = {number: amount for number, amount in zip(curves, allocation.amounts, strict=True) if amount}
        widths = {number: _get_width(curves[number], amount) for number, amount in found.items()}
        if allocation.binds and len(found) == 1:
            amounts = self.tighten(self._place(found, found.values()), slack)
            if self._still_rises(amounts):
                return amounts
        known, idle = 0.0, 0
        for _ in range(_ROUNDS):
            reaches = {number: (max(0, found[number] - width), width) for number, width in widths.items()}
            base = self._place(found, [low for low, _ in reaches.values()])
            start = self._try(base)
            if start is None or start.loss > slack:
                break
            drawn = [self._draw(base, start, number, found[number] + widths[number]) for number in found]
            allocation = allocate(drawn, slack - start.loss)
            found = dict(zip(found, allocation.amounts, strict=True))
            worth = start.gain + allocation.gain
            idle = idle + 1 if worth - known <= _SETTLED * worth else 0
            if idle > 1:  # once may be a kink that lies between the points of two grids
                break
            known = max(known, worth)
            for number, (low, width) in reaches.items():
                # one that ends at the edge of its reach may go on beyond it
                if low < found[number] < low + 2 * width:
                    widths[number] = width // _SHRINK
        amounts = self._place(found, found.values())
        return self.tighten(amounts, slack) if allocation.binds and any(amounts) else amounts

    def _still_rises(self, amounts: tuple[int, ...]) -> bool:
        """Return whether a little less gains less."""
        here, before = self._try(amounts), self._try(tuple(amount - amount // _LITTLE for amount in amounts))
        return here is not None and before is not None and here.gain >= before.gain

    def scan(self, number: int, slack: int) -> list[Point]:
        """Return what ever larger front-runs of one target come to, as long as they leave the victim no
        more than ``slack`` short; the last one nearly does."""
        points = [Point(0, 0.0, 0.0)]
        amount = max(1, self._victim.targets[number].taken >> _FIRST_SHIFT)
        while amount and not (first := self._fit(number, amount, slack)):
            amount //= _STEP
        while amount and first and amount <= _LARGEST:
            points.append(first)
            amount *= _STEP
            first = self._fit(number, amount, slack)
        low = points[-1].amount
        ends = self._approach(self._place([number], [low]), slack, (low, _STEP * low), _NEAR) if low else ()
        return points + [point for end in ends if (point := self.try_one(number, end))]

    def try_one(self, number: int, amount: int) -> Point | None:
        """Return what a front-run of one target comes to; None where it cannot be made."""
        point = self._try(self._place([number], [amount]))
        return None if point is None else point._replace(amount=amount)

    def tighten(self, amounts: tuple[int, ...], slack: int) -> tuple[int, ...]:
        """Return the amounts in their proportions, as large as leaves the victim ``slack`` short at most."""
        lead = max(amounts)
        *_, end = 0, *self._approach(amounts, slack, (0, _STEP * lead), _CLOSE)
        return _scale(amounts, end, lead)

    def _approach(
        self, amounts: tuple[int, ...], slack: int, reach: tuple[int, int], tolerance: float
    ) -> Iterator[int]:
        """Yield how large the largest of ``amounts`` can be in their proportions, ever closer to the most
        that leaves the victim ``slack`` short, which lies within ``reach``.

        False position on the loss; the end that stays counts half from the second time on (Illinois).
        """
        lead = max(amounts)

        def get_left(largest: int) -> float:
            trial = self._trials.run(_scale(amounts, largest, lead))
            return -_STEP * float(slack) if trial is None else max(-_STEP * slack, float(slack - trial.loss))

        (low, high), guess = reach, lead
        missing, excess = get_left(low), -get_left(high)
        moved_low = moved_high = False
        if excess <= 0:
            yield high
            return
        while missing > tolerance * slack and high - low > max(1, _CLIFF * tolerance * low):
            if not low < guess < high:
                guess = low + int((high - low) * missing / (missing + excess))
                guess = min(max(guess, low + 1), high - 1)
            left = get_left(guess)
            if left >= 0:
                low, missing = guess, left
                yield low
                excess /= 1 + moved_low
            else:
                high, excess = guess, -left
                missing /= 1 + moved_high
            moved_low, moved_high = left >= 0, left < 0

    def _draw(self, base: tuple[int, ...], start: Point, number: int, high: int) -> list[Point]:
        """Return points of one target up to ``high``, counted from ``start``, where the others stay."""
        low = base[number]
        points: list[Point] = []
        for amount in sorted({low + (high - low) * part // _POINTS for part in range(_POINTS + 1)}):
            point = self._try((*base[:number], amount, *base[number + 1 :]))
            if point is None:
                break
            points.append(Point(amount, point.loss - start.loss, point.gain - start.gain))
        return points

    def _fit(self, number: int, amount: int, slack: int) -> Point | None:
        point = self.try_one(number, amount)
        return None if point is None or point.loss > slack else point

    def _try(self, amounts: tuple[int, ...]) -> Point | None:
        trial = self._trials.run(amounts)
        if trial is None:
            return None
        gain = 0.0
        for number, amount in enumerate(amounts):
            if amount:
                gain += (trial.gains[number] - self._charge * amount) * self._values[number]
        return Point(0, trial.loss, gain)

    def _place(self, numbers: Iterable[int], amounts: Iterable[int]) -> tuple[int, ...]:
        placed = list(self._nothing)
        for number, amount in zip(numbers, amounts, strict=True):
            placed[number] = amount
        return tuple(placed)


def _scale(amounts: tuple[int, ...], part: int, whole: int) -> tuple[int, ...]:
    return tuple(amount * part // whole for amount in amounts)


def _get_width(curve: Sequence[Point], amount: int) -> int:
    """Return how far the points of a curve lie from an amount on it: the wider of both sides."""
    below = max((point.amount for point in curve if point.amount < amount), default=amount)
    above = min((point.amount for point in curve if point.amount > amount), default=amount)
    return max(amount - below, above - amount)
