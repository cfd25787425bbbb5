"""The front-runs that gain most under a bound, on one pool of the victim's route or on several at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

from onchain_exec.risk.exposure.allocation import Point, allocate
from onchain_exec.risk.exposure.trials import FastTrials
from onchain_exec.risk.exposure.victim import Victim

_FIRST_SHIFT: Final = 6
"""A scan begins with this many halvings of what the victim swaps in the pool."""

_STEP: Final = 4
_FIRST_PART: Final = 0.4
_BEYOND: Final = 1.5
"""Of the loss that is allowed: what the first amount of a scan takes where more would not fit, and how far
beyond it an amount lies that is not tried, as losses grow in proportion."""

_LARGEST: Final = 1 << 128

_ROUNDS: Final = 8
_POINTS: Final = 6
_SHRINK: Final = 3
"""Grids of so many steps, at most so often, each over a third of the one before, or over thrice as much where
the best lies at an edge."""

_SETTLED: Final = 1e-6
"""Of the gain: grids end where a finer one adds less."""

_LITTLE: Final = 1_000
_NEAR: Final = 1e-2
_CLOSE: Final = 1e-7
"""Of the loss that is allowed: how much of it may be left unused in a scan, and in the end."""

_UNSURE: Final = 8
"""How many base units of each target's token_in the fast trials may be wrong by."""

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
        self._try, self.scan = cache(self._weigh), cache(self._scan)

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
        targets that feed one another settle together. What gets nothing is left out from there on; where
        that leaves one, and the bound stops it, the most that fits is what is looked for."""
        allocation = allocate(list(curves.values()), slack)
        found = dict(zip(curves, allocation.amounts, strict=True))
        widths = {number: _get_width(curves[number], amount) for number, amount in found.items()}
        known, idle, before = 0.0, 0, len(curves) + 1
        for _ in range(_ROUNDS):
            found = {number: amount for number, amount in found.items() if amount}
            if len(found) == 1 < before and allocation.binds:
                amounts = self.tighten(self._place(found), slack)
                if self._still_rises(amounts):
                    return amounts
            before = len(found)
            reaches = {
                number: (max(0, amount - widths[number]), widths[number]) for number, amount in found.items()
            }
            base = self._place({number: low for number, (low, _) in reaches.items()})
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
                is_inside = low < found[number] < low + 2 * width
                widths[number] = width // _SHRINK if is_inside else width * _SHRINK
        amounts = self._place(found)
        return self.tighten(amounts, slack) if allocation.binds and any(amounts) else amounts

    def _still_rises(self, amounts: tuple[int, ...]) -> bool:
        """Return whether a little less gains less."""
        here, before = self._try(amounts), self._try(tuple(amount - amount // _LITTLE for amount in amounts))
        return here is not None and before is not None and here.gain >= before.gain

    def _scan(self, number: int, slack: int) -> tuple[Point, ...]:
        """Return what ever larger front-runs of one target come to, as long as they leave the victim no
        more than ``slack`` short; the last one nearly does. What is lost is about in proportion at first."""
        amount = max(1, self._victim.targets[number].taken >> _FIRST_SHIFT)
        while amount and not ((point := self.try_one(number, amount)) and point.loss <= slack):
            amount = min(amount // _STEP, int(_FIRST_PART * amount * slack / point.loss) if point else amount)
        points = [Point(0, 0.0, 0.0)]
        while amount and point and point.loss <= slack and amount <= _LARGEST:
            points.append(point)
            if _STEP * point.loss > _BEYOND * slack:
                break
            amount *= _STEP
            point = self.try_one(number, amount)
        end = 0
        while end < points[-1].amount <= _LARGEST:  # what is lost may rise ever more slowly
            last = points[-1]
            end = _STEP * last.amount - 1
            ends = self._approach(self._place({number: last.amount}), slack, (last.amount, last.loss), _NEAR)
            points += [point for amount in ends if (point := self.try_one(number, amount))]
        return tuple(points)

    def try_one(self, number: int, amount: int) -> Point | None:
        """Return what a front-run of one target comes to; None where it cannot be made."""
        point = self._try(self._place({number: amount}))
        return None if point is None else point._replace(amount=amount)

    def tighten(self, amounts: tuple[int, ...], slack: int) -> tuple[int, ...]:
        """Return the amounts in their proportions, as large as leaves the victim ``slack`` short at most."""
        *_, end = 0, *self._approach(amounts, slack, (0, 0.0), _CLOSE)
        return _scale(amounts, end, max(amounts))

    def get_most(self, amounts: tuple[int, ...]) -> float:
        """Return the most that front-runs can gain in exact integers."""
        return sum(self.list_gains(amounts)) + _UNSURE * sum(self._values)

    def list_gains(self, amounts: tuple[int, ...]) -> list[float]:
        """Return what the front-run of each target gains; nothing where they cannot be made."""
        trial = self._trials.run(amounts)
        if trial is None:
            return [0.0] * len(amounts)
        return [
            (gain - self._charge * amount) * value
            for gain, amount, value in zip(trial.gains, amounts, self._values, strict=True)
        ]

    def _approach(
        self, amounts: tuple[int, ...], slack: int, known: tuple[int, float], tolerance: float
    ) -> Iterator[int]:
        """Yield how large the largest of ``amounts`` can be in their proportions, ever closer to the most
        that leaves the victim ``slack`` short, up to a few times what it is; ``known`` is what fits, and the
        loss to it.

        In proportion to what is lost until one is too large; then false position, in which the end that stays
        counts half from the second time on (Illinois).
        """
        lead, worst = max(amounts), (1 + _STEP) * slack
        (low, loss), high, excess = known, _STEP * lead, 0.0
        aim = slack * (1 - tolerance / 2)
        missing, guess = aim - loss, int(low * aim / loss) if loss > 0 else lead
        moved_low = moved_high = False
        while missing > tolerance / 2 * slack and high - low > max(1, _CLIFF * tolerance * low):
            guess = min(max(guess, low + 1), high if not excess else high - 1)
            trial = self._trials.run(_scale(amounts, guess, lead))
            loss = min(trial.loss, worst) if trial else worst
            if loss <= slack:
                low, missing = guess, aim - loss
                yield low
                excess /= 1 + moved_low
            else:
                high, excess = guess, loss - aim
                missing /= 1 + moved_high
            moved_low, moved_high = loss <= slack, loss > slack
            if excess:
                guess = low + int((high - low) * missing / (missing + excess))
            else:
                guess = int(low * aim / loss) if loss > 0 else high

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

    def _weigh(self, amounts: tuple[int, ...]) -> Point | None:
        trial = self._trials.run(amounts)
        if trial is None:
            return None
        return Point(0, trial.loss, sum(self.list_gains(amounts)))

    def _place(self, found: Mapping[int, int]) -> tuple[int, ...]:
        placed = list(self._nothing)
        for number, amount in found.items():
            placed[number] = amount
        return tuple(placed)


def _scale(amounts: tuple[int, ...], part: int, whole: int) -> tuple[int, ...]:
    return tuple(amount * part // whole for amount in amounts)


def _get_width(curve: Sequence[Point], amount: int) -> int:
    """Return how far the points of a curve lie from an amount on it: the wider of both sides."""
    below = max((point.amount for point in curve if point.amount < amount), default=amount)
    above = min((point.amount for point in curve if point.amount > amount), default=amount)
    return max(amount - below, above - amount)
