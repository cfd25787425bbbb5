"""One direction's steps, summed: what makes an exact quote one bisection and one partial step.

A step is fully crossed if and only if the remaining input covers its ``amount_in + fee_amount`` (or
the remaining output its ``amount_out``). What a crossed step takes and gives depends on the ticks and
the fee alone, not on the amount, so cumulative integer sums reproduce the contract's loop to the unit:

    floor(r * (1e6 - f) / 1e6) >= in  <=>  r >= ceil(in * 1e6 / (1e6 - f)) = in + ceil(in * f / (1e6 - f))
"""

from __future__ import annotations

from bisect import bisect_left
from operator import neg, pos

from onchain_exec.core import Exact
from onchain_exec.venues.concentrated.swap_math import compute_full_step
from onchain_exec.venues.concentrated.tick_math import (
    MAX_SQRT_PRICE_X96,
    MIN_SQRT_PRICE_X96,
    get_sqrt_price_at_tick,
)
from onchain_exec.venues.concentrated.ticks import Ticks, add_liquidity


def get_end_price(down: bool) -> int:
    """Return the last price a swap can reach: one inside the range of `tick_math`."""
    return MIN_SQRT_PRICE_X96 + 1 if down else MAX_SQRT_PRICE_X96 - 1


def get_target_price(boundary: int, down: bool) -> int:
    """Return the price of a boundary tick, kept within what a swap can reach."""
    price = get_sqrt_price_at_tick(boundary)
    return max(price, get_end_price(down)) if down else min(price, get_end_price(down))


class Ladder:
    """The steps of one direction from a boundary on, built as far as somebody asked.

    Column k describes the place where step k starts: its price, and what all steps before it took
    (fee included) and gave. ``liquidities`` is shorter than the others by the last place, whose step
    is not built. Columns only grow, so a quoter may hold on to them.
    """

    __slots__ = (
        "_down", "_fee_pips", "_liquidity", "_ticks",
        "boundaries", "crossed", "liquidities", "prices", "sum_fee", "sum_in", "sum_out",
    )  # fmt: skip

    def __init__(self, ticks: Ticks, boundary: int, liquidity: int, fee_pips: int, down: bool) -> None:
        self._ticks, self._fee_pips, self._down = ticks, fee_pips, down
        self._liquidity = liquidity
        self.boundaries = [boundary]
        self.prices = [get_target_price(boundary, down)]
        self.liquidities: list[int] = []
        self.sum_in, self.sum_out, self.sum_fee, self.crossed = [0], [0], [0], [0]

    @property
    def closed(self) -> bool:
        """Whether the last place is the end of the price range."""
        return self.prices[-1] == get_end_price(self._down)

    def find_place(self, boundary: int, liquidity: int) -> int | None:
        """Return the column of a boundary tick, or None where this ladder does not pass it."""
        sign = neg if self._down else pos
        place = bisect_left(self.boundaries, sign(boundary), key=sign)
        if place == len(self.boundaries) or self.boundaries[place] != boundary:
            return None
        return place if self.get_liquidity(place) == liquidity else None

    def get_liquidity(self, place: int) -> int:
        """Return the liquidity beyond a place."""
        return self.liquidities[place] if place < len(self.liquidities) else self._liquidity

    def find_last_step(self, total: int, exact: Exact, limit_x96: int) -> int:
        """Return the step in which a swap ends that takes (or gives) ``total`` since column 0.

        It starts short of the total and of the price limit. The ladder is built that far; where it
        closes before, the answer is its last place.
        """
        sums = self.sum_in if exact is Exact.IN else self.sum_out
        sign = neg if self._down else pos
        limit = sign(limit_x96)
        while sums[-1] < total and sign(self.prices[-1]) < limit and not self.closed:
            self._build_step()
        end = min(bisect_left(sums, total), len(sums) - 1)
        if sign(self.prices[end]) >= limit:
            end = bisect_left(self.prices, limit, 0, end, key=sign)
        return end - 1

    def _build_step(self) -> None:
        down, liquidity = self._down, self._liquidity
        tick = self.boundaries[-1] - down
        find = self._ticks.find_boundary if liquidity else self._ticks.find_initialised
        boundary, net = find(tick, down)
        step = compute_full_step(self.prices[-1], get_target_price(boundary, down), liquidity, self._fee_pips)
        self._liquidity = add_liquidity(liquidity, -net if down else net)
        self.liquidities.append(liquidity)
        self.boundaries.append(boundary)
        self.prices.append(step.sqrt_price_x96)
        self.sum_in.append(self.sum_in[-1] + step.amount_in + step.fee_amount)
        self.sum_out.append(self.sum_out[-1] + step.amount_out)
        self.sum_fee.append(self.sum_fee[-1] + step.fee_amount)
        self.crossed.append(self.crossed[-1] + self._ticks.is_initialised(boundary))
