"""Who provides liquidity where: uneven positions of several owners, the same on every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from eth_utils import keccak

from onchain_exec.core import Address, to_address

TICK_SPACINGS = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
"""By fee in pips, the same in v3 and, by custom, in v4."""
_MAX_TICK = 887_272
_OWNERS = tuple(to_address(keccak(text=f"liquidity owner {number}")[-20:]) for number in range(5))


@dataclass(frozen=True, slots=True)
class SeedPool:
    """One pool to make. ``skew_bps`` is how far its price is off the fair one; ``usd`` the mean
    worth of a position's side, ``spread`` the standard deviation of the positions' centres and the
    mean of their half widths, in tick spacings."""

    base: str
    quote: str
    fee_pips: int
    skew_bps: int
    positions: int
    usd: int
    spread: int

    @property
    def tick_spacing(self) -> int:
        """The distance between its usable ticks."""
        return TICK_SPACINGS[self.fee_pips]


@dataclass(frozen=True, slots=True)
class Position:
    """Liquidity to add; ``usd`` is what each side may cost."""

    tick_lower: int
    tick_upper: int
    usd: int
    owner: Address


def get_positions(pool: SeedPool, tick: int) -> Iterator[Position]:
    """Yield first one over the full range, so that no swap ends for want of liquidity, then narrow
    ones around ``tick``."""
    rng = random.Random(f"{pool}")  # noqa: S311 - a layout that is the same on every run, not a secret
    spacing = pool.tick_spacing
    end = _MAX_TICK // spacing * spacing
    yield Position(-end, end, pool.usd * pool.positions // 4, _OWNERS[0])
    middle = tick // spacing
    for _ in range(pool.positions):
        centre = middle + round(rng.gauss(0, pool.spread))
        half_width = 1 + int(rng.expovariate(1 / pool.spread))
        usd = int(pool.usd * rng.lognormvariate(0, 0.8))
        lower, upper = (centre - half_width) * spacing, (centre + half_width) * spacing
        yield Position(lower, upper, usd, rng.choice(_OWNERS))
