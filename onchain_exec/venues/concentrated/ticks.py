"""The initialised ticks of a pool: who provides liquidity from where to where, whatever the price."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from onchain_exec.core.fixed_point import MAX_UINT128
from onchain_exec.errors import InputError, PoolRevertError, StaleStateError
from onchain_exec.venues.concentrated.tick_math import MAX_TICK, MIN_TICK


@dataclass(frozen=True, slots=True)
class Ticks:
    """Initialised ticks, ascending, each a multiple of ``spacing``.

    ``liquidity_net[i]`` is added when the price rises through ``indexes[i]`` and taken off when it
    falls through it. ``liquidity_gross`` is what makes a tick initialised; None where the source did
    not give it, and then a burn that brings a net to zero cannot be followed (`with_liquidity`).
    """

    spacing: int
    indexes: tuple[int, ...]
    liquidity_net: tuple[int, ...]
    liquidity_gross: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        indexes = self.indexes
        if self.spacing <= 0 or len(indexes) != len(self.liquidity_net):
            raise InputError(f"{len(indexes)} ticks, {len(self.liquidity_net)} nets, spacing {self.spacing}")
        ascending = all(low < high for low, high in pairwise(indexes))
        if not ascending or any(index % self.spacing for index in indexes):
            raise InputError(
                "the ticks of a pool are out of order or off its spacing",
                needed=f"ascending multiples of {self.spacing}",
            )

    def __repr__(self) -> str:
        ends = f" from {self.indexes[0]} to {self.indexes[-1]}" if self.indexes else ""
        return f"<Ticks: {len(self.indexes)}{ends}, spacing {self.spacing}>"

    def find_boundary(self, tick: int, down: bool) -> tuple[int, int]:
        """Return where the next step from ``tick`` ends, and the net liquidity there.

        That is the next initialised tick within the bitmap word, else the word's last tick (net 0),
        kept within MIN_TICK..MAX_TICK. Falling prices look at ``tick`` itself first, rising ones
        above it. Mirror of ``TickBitmap.nextInitializedTickWithinOneWord`` and of what swap does
        with it.
        """
        if down:
            word_end = max((tick // self.spacing >> 8 << 8) * self.spacing, MIN_TICK)
            index = bisect_right(self.indexes, tick) - 1
            if index >= 0 and self.indexes[index] >= word_end:
                return self.indexes[index], self.liquidity_net[index]
        else:
            word_end = min(((tick // self.spacing + 1 >> 8 << 8) + 255) * self.spacing, MAX_TICK)
            index = bisect_right(self.indexes, tick)
            if index < len(self.indexes) and self.indexes[index] <= word_end:
                return self.indexes[index], self.liquidity_net[index]
        return word_end, 0

    def find_initialised(self, tick: int, down: bool) -> tuple[int, int]:
        """Return the next initialised tick and its net, or the end of the tick range and 0.

        Across liquidity 0 nothing is traded, so the word boundaries between may be skipped.
        """
        index = bisect_right(self.indexes, tick) - down
        if 0 <= index < len(self.indexes):
            return self.indexes[index], self.liquidity_net[index]
        return (MIN_TICK if down else MAX_TICK), 0

    def is_initialised(self, tick: int) -> bool:
        """Return whether ``tick`` is an initialised tick."""
        index = bisect_left(self.indexes, tick)
        return index < len(self.indexes) and self.indexes[index] == tick

    def get_liquidity(self, tick: int) -> int:
        """Return the liquidity in range at ``tick``: the sum of the nets at and below it."""
        return sum(self.liquidity_net[: bisect_right(self.indexes, tick)])

    def with_liquidity(self, tick_lower: int, tick_upper: int, liquidity_delta: int) -> Ticks:
        """Return the ticks after a mint (positive delta) or burn (negative) of one position.

        Raises:
            StaleStateError: the burn is of liquidity that is not here, or the gross liquidity that
                would tell whether a tick stays initialised is not known. Read the pool again.
        """
        if liquidity_delta == 0:
            return self
        if tick_lower % self.spacing or tick_upper % self.spacing:
            raise InputError(
                f"a position from {tick_lower} to {tick_upper}", needed=f"ticks of {self.spacing}"
            )
        return self._with_tick(tick_lower, liquidity_delta, liquidity_delta)._with_tick(
            tick_upper, -liquidity_delta, liquidity_delta
        )

    def _with_tick(self, tick: int, net_delta: int, gross_delta: int) -> Ticks:
        index = bisect_left(self.indexes, tick)
        known = self.is_initialised(tick)
        after = index + known
        net = (self.liquidity_net[index] if known else 0) + net_delta
        gross = self._gross_after(index, known, gross_delta)
        stays = gross > 0 if gross is not None else gross_delta > 0 or net != 0
        if (gross_delta < 0 and not known) or (gross is not None and gross < 0):
            raise StaleStateError(
                f"a burn of {-gross_delta} at tick {tick}, where there is less",
                todo="Events were missed: read the pool again",
            )
        if gross is None and not stays:
            raise StaleStateError(
                f"net liquidity at tick {tick} became zero; whether the tick is initialised is unknown",
                needed="the gross liquidity of its ticks",
                todo="Read the pool again, with its gross liquidity",
            )
        return self._with_columns(
            self.indexes[:index] + (tick,) * stays + self.indexes[after:],
            self.liquidity_net[:index] + (net,) * stays + self.liquidity_net[after:],
            None
            if self.liquidity_gross is None or gross is None
            else self.liquidity_gross[:index] + (gross,) * stays + self.liquidity_gross[after:],
        )

    def _with_columns(
        self, indexes: tuple[int, ...], net: tuple[int, ...], gross: tuple[int, ...] | None
    ) -> Ticks:
        """Return ticks that are in order because these are: to check a thousand takes ten times as long
        as to change one."""
        ticks = object.__new__(Ticks)
        for name, value in zip(self.__slots__, (self.spacing, indexes, net, gross), strict=True):
            object.__setattr__(ticks, name, value)
        return ticks

    def _gross_after(self, index: int, known: bool, delta: int) -> int | None:
        if self.liquidity_gross is None:
            return None
        return (self.liquidity_gross[index] if known else 0) + delta


def add_liquidity(liquidity: int, delta: int) -> int:
    """Return liquidity plus a signed delta. Mirror of ``LiquidityMath.addDelta``.

    Raises:
        PoolRevertError: ``LS`` below zero, ``LA`` beyond uint128.
    """
    total = liquidity + delta
    if total < 0:
        raise PoolRevertError("LS", found=f"liquidity {liquidity} less {-delta}")
    if total > MAX_UINT128:
        raise PoolRevertError("LA", found=f"liquidity {liquidity} plus {delta}")
    return total
