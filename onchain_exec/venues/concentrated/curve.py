"""The price curve of a concentrated-liquidity pool, and exact swaps along it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias

from onchain_exec.core import Exact
from onchain_exec.venues.concentrated.ladder import Ladder, get_target_price
from onchain_exec.venues.concentrated.swap_math import (
    Step,
    compute_full_step,
    compute_partial_step,
    compute_swap_step,
)
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick, get_tick_at_sqrt_price
from onchain_exec.venues.concentrated.ticks import Ticks, add_liquidity

Way: TypeAlias = tuple[int, Step, Ladder, int]
"""A `Path` without the curve it starts from, which keeps it: neither outlives the other."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What swaps depend on: a price, the liquidity around it, and the fee.

    ``sqrt_price_x96`` is the root of token 1 per token 0; ``tick`` is the contract's own, which on a
    boundary differs from the price's tick after a fall; ``liquidity`` is what is in range at
    ``tick``. ``fee_pips`` is the whole fee on the input. Curves over the same ticks share their
    ``ladders``, at most one per direction and fee; ``ways`` are those that somebody went.
    """

    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_pips: int
    ticks: Ticks
    ladders: dict[tuple[bool, int], Ladder] = field(default_factory=dict, repr=False, compare=False)
    ways: dict[bool, Way] = field(default_factory=dict, init=False, repr=False, compare=False)

    def moved_to(self, sqrt_price_x96: int, tick: int, liquidity: int) -> Curve:
        """Return the curve at another price of the same ticks."""
        # not replace(), which takes three times as long: a route may move hundreds of curves
        return Curve(sqrt_price_x96, tick, liquidity, self.fee_pips, self.ticks, self.ladders)

    def with_liquidity(self, tick_lower: int, tick_upper: int, liquidity_delta: int) -> Curve:
        """Return the curve after a mint (positive delta) or burn of one position.

        Ladders that lie wholly on the other side of the position stay.
        """
        if not liquidity_delta:
            return self
        in_range = tick_lower <= self.tick < tick_upper
        return Curve(
            self.sqrt_price_x96,
            self.tick,
            add_liquidity(self.liquidity, liquidity_delta if in_range else 0),
            self.fee_pips,
            self.ticks.with_liquidity(tick_lower, tick_upper, liquidity_delta),
            {
                (down, fee_pips): ladder
                for (down, fee_pips), ladder in self.ladders.items()
                if (tick_lower > ladder.boundaries[0] if down else tick_upper < ladder.boundaries[0])
            },
        )

    def with_fee(self, fee_pips: int) -> Curve:
        """Return the curve under another fee."""
        return self if fee_pips == self.fee_pips else replace(self, fee_pips=fee_pips)

    def path(self, down: bool) -> Path:
        """Return the path of a falling (``down``) or rising price from here."""
        way = self.ways.get(down)
        if way is None:
            way = self.ways[down] = self._find_way(down)
        return Path(self, down, *way)

    def _find_way(self, down: bool) -> Way:
        find = self.ticks.find_boundary if self.liquidity else self.ticks.find_initialised
        boundary, net = find(self.tick, down)
        head = compute_full_step(
            self.sqrt_price_x96, get_target_price(boundary, down), self.liquidity, self.fee_pips
        )
        beyond = add_liquidity(self.liquidity, -net if down else net)
        ladder = self.ladders.get((down, self.fee_pips))
        place = ladder.find_place(boundary, beyond) if ladder else None
        if ladder is None or place is None:
            ladder, place = Ladder(self.ticks, boundary, beyond, self.fee_pips, down), 0
            self.ladders[down, self.fee_pips] = ladder
        return boundary, head, ladder, place

    def swap(self, down: bool, amount: int, exact: Exact, limit_x96: int) -> Move:
        """Return the swap of ``amount`` up to a price limit.

        Mirror of the loop in ``UniswapV3Pool.swap`` and v4 ``Pool.swap``. ``amount`` is positive and
        the limit lies ahead: the pools require both. Short of the amount the move just ends, as it
        does there; the caller compares.
        """
        path = self.path(down)
        return path.finish(path.find_start(amount, exact, limit_x96), amount, exact, limit_x96)


class Move(NamedTuple):
    """A swap along a curve, in base units: ``fee_amount`` is part of ``amount_in``."""

    amount_in: int
    amount_out: int
    fee_amount: int
    ticks_crossed: int
    make_curve: Callable[[], Curve]

    @property
    def curve(self) -> Curve:
        """The curve after the swap; see `SwapResult.pool_after`."""
        return self.make_curve()


class Start(NamedTuple):
    """Where the last step of a swap starts, what the steps before it came to, and its ``end``, a place of
    the ladder: ``room`` is what it takes until there, fee included (Exact.IN), or gives (Exact.OUT)."""

    sqrt_price_x96: int
    tick: int
    liquidity: int
    amount_in: int
    amount_out: int
    fee_amount: int
    ticks_crossed: int
    end: int
    room: int


class Path(NamedTuple):
    """A direction from a curve's price: the head step to the first boundary, then a ladder."""

    curve: Curve
    down: bool
    boundary: int
    head: Step
    ladder: Ladder
    place: int

    @property
    def offset_in(self) -> int:
        """What to add to the ladder's sum_in to count from the curve's price."""
        return self.head.amount_in + self.head.fee_amount - self.ladder.sum_in[self.place]

    @property
    def offset_out(self) -> int:
        """What to add to the ladder's sum_out to count from the curve's price."""
        return self.head.amount_out - self.ladder.sum_out[self.place]

    def find_start(self, amount: int, exact: Exact, limit_x96: int) -> Start:
        """Return the start of the step in which a swap of ``amount`` ends."""
        curve, ladder, head, forwards = self.curve, self.ladder, self.head, exact is Exact.IN
        offset_in, offset_out = self.offset_in, self.offset_out
        last = ladder.find_last_step(amount - (offset_in if forwards else offset_out), exact, limit_x96)
        if last < self.place:
            room = head.amount_in + head.fee_amount if forwards else head.amount_out
            return Start(curve.sqrt_price_x96, curve.tick, curve.liquidity, 0, 0, 0, 0, self.place, room)
        sums = ladder.sum_in if forwards else ladder.sum_out
        first = curve.ticks.is_initialised(self.boundary)
        return Start(
            ladder.prices[last],
            ladder.boundaries[last] - self.down,
            ladder.liquidities[last],
            ladder.sum_in[last] + offset_in,
            ladder.sum_out[last] + offset_out,
            ladder.sum_fee[last] - ladder.sum_fee[self.place] + head.fee_amount,
            ladder.crossed[last] - ladder.crossed[self.place] + first,
            last + 1,
            sums[last + 1] - sums[last],
        )

    def finish(self, start: Start, amount: int, exact: Exact, limit_x96: int) -> Move:
        """Return the swap whose last step starts at ``start``."""
        curve, down, ladder = self.curve, self.down, self.ladder
        liquidity, fee_pips = start.liquidity, curve.fee_pips
        left = amount - (start.amount_in if exact is Exact.IN else start.amount_out)
        boundary, target = ladder.boundaries[start.end], ladder.prices[start.end]
        limited = limit_x96 > target if down else limit_x96 < target
        if left < start.room and not limited:
            step = compute_partial_step(start.sqrt_price_x96, liquidity, left, fee_pips, exact, down)
        else:
            target = limit_x96 if limited else target
            step = compute_swap_step(start.sqrt_price_x96, target, liquidity, left, fee_pips, exact)
        price, crossed = step.sqrt_price_x96, False
        passed = price == get_sqrt_price_at_tick(boundary)
        if passed:
            liquidity = ladder.get_liquidity(start.end)
            crossed = curve.ticks.is_initialised(boundary)

        def make_curve() -> Curve:
            tick = start.tick
            if passed:
                tick = boundary - down
            elif price != start.sqrt_price_x96:
                tick = self._get_tick(price)
            return curve.moved_to(price, tick, liquidity)

        return Move(
            start.amount_in + step.amount_in + step.fee_amount,
            start.amount_out + step.amount_out,
            start.fee_amount + step.fee_amount,
            start.ticks_crossed + crossed,
            make_curve,
        )

    def _get_tick(self, sqrt_price_x96: int) -> int:
        """Return the tick of a price; after a fall onto a boundary it is the one below."""
        tick = get_tick_at_sqrt_price(sqrt_price_x96)
        if self.down and sqrt_price_x96 == get_sqrt_price_at_tick(tick):
            return tick - (self.curve.ticks.find_boundary(tick, True)[0] == tick)
        return tick
