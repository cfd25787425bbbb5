"""The cheapest way to a target delta over several venues: price, fees, funding and sending together.

Each venue's cost rises with the size at a growing rate, because its price moves. So giving part after part
to the venue where it adds least is optimal for parts of that size; what a venue costs whatever the size is
decided by trying every set of venues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD, div_trunc
from onchain_exec.errors import (
    InputError,
    NoRouteError,
    PoolRevertError,
    StateError,
    UnsupportedOrderError,
)
from onchain_exec.venues.perpetuals.venue import PerpetualVenue, Preview

_MOST_LEGS: Final = 8


@dataclass(frozen=True, slots=True)
class Leg:
    """Where one may trade: an account's market on a venue. All legs are of one underlying and are paid in one
    money. ``fixed_cost_wad`` is what sending a transaction there costs. An account that also makes the
    market trades with itself in part, and its delta moves by less."""

    venue: PerpetualVenue
    owner: Address
    market: Address
    fixed_cost_wad: int = 0

    @property
    def size_wad(self) -> int:
        """What the account holds there already."""
        held = self.venue.get_account(self.owner).positions
        return sum(one.size_wad for one in held if one.market == self.market)


@dataclass(frozen=True, slots=True)
class HedgeOrder:
    """A trade of a hedge, foreseen; ``funding_wad`` is what it pays over the horizon (negative: gets)."""

    leg: Leg
    size_wad: int
    preview: Preview[Any]
    funding_wad: int


@dataclass(frozen=True, slots=True)
class Hedge:
    """Trades that bring the delta to its target, and what they cost beyond the reference price, in 1e18."""

    orders: tuple[HedgeOrder, ...]
    cost_wad: int


def get_delta(legs: Sequence[Leg]) -> int:
    """Return the base held over all legs, in 1e18."""
    return sum(leg.size_wad for leg in legs)


def find_hedge(
    legs: Sequence[Leg], target_wad: int, reference_price_wad: int, horizon_s: int, parts: int = 16
) -> Hedge:
    """Return the cheapest trades after which the legs hold ``target_wad`` of base.

    All trades go the same way. The cost is what is paid beyond the reference price, fees, funding at today's
    rate for ``horizon_s``, and each leg's fixed cost. Exact for each split; the split is in ``parts``.

    Raises:
        InputError: no legs, more than 8, or no parts.
        NoRouteError: together they cannot take so much: too little liquidity or collateral.
    """
    if not 0 < len(legs) <= _MOST_LEGS or parts < 1:
        raise InputError(
            f"{len(legs)} legs in {parts} parts", needed=f"1 to {_MOST_LEGS} legs, 1 or more parts"
        )
    change = target_wad - get_delta(legs)
    if not change:
        return Hedge((), 0)
    quotes = [_Quotes(leg, reference_price_wad, horizon_s) for leg in legs]
    found = [
        hedge
        for count in range(1, len(legs) + 1)
        for chosen in combinations(quotes, count)
        if (hedge := _split(chosen, change, parts)) is not None
    ]
    if not found:
        raise NoRouteError(
            f"no split of {change / WAD:.6f} over {len(legs)} venues can be traded",
            needed="liquidity and collateral for all of it",
            todo="Hedge less, or add collateral",
        )
    return min(found, key=lambda hedge: hedge.cost_wad)


class _Quotes:
    """The costs of one leg by size, each asked once."""

    def __init__(self, leg: Leg, reference_price_wad: int, horizon_s: int) -> None:
        self.leg = leg
        self._reference_price_wad = reference_price_wad
        self._funding = leg.venue.get_funding(leg.market)
        self._horizon_s = horizon_s
        self._held_wad = leg.size_wad
        self._orders: dict[int, HedgeOrder | None] = {}

    def get_order(self, size_wad: int) -> HedgeOrder | None:
        """Return the order of a size, None if it cannot be traded."""
        if size_wad not in self._orders:
            self._orders[size_wad] = self._ask(size_wad)
        return self._orders[size_wad]

    def get_cost(self, size_wad: int) -> int | None:
        """Return what a size costs beyond the reference price, without the fixed cost."""
        if not size_wad:
            return 0
        order = self.get_order(size_wad)
        if order is None:
            return None
        done = order.preview
        fair = div_trunc(done.size_wad * self._reference_price_wad, WAD)
        return int(done.notional_wad - fair + done.fee_wad + order.funding_wad)

    def _ask(self, size_wad: int) -> HedgeOrder | None:
        leg = self.leg
        try:
            preview = leg.venue.preview_trade(leg.owner, leg.market, size_wad)
        except (PoolRevertError, StateError, UnsupportedOrderError):
            return None
        return HedgeOrder(leg, size_wad, preview, self._get_funding(preview.size_wad))

    def _get_funding(self, size_wad: int) -> int:
        """Return what the position pays more than without the trade."""
        held = self._held_wad
        after, before = (self._funding.get_cost(size, self._horizon_s) for size in (held + size_wad, held))
        return after - before


def _split(quotes: Sequence[_Quotes], change: int, parts: int) -> Hedge | None:
    """Return the cheapest split in which each of these legs trades, None if there is none."""
    counts = [0] * len(quotes)
    for _ in range(parts):
        rises = [
            (rise, place)
            for place, one in enumerate(quotes)
            if (rise := _get_rise(one, change, parts, counts[place])) is not None
        ]
        if not rises:
            return None
        counts[min(rises)[1]] += 1
    sizes = [change * count // parts for count in counts]
    sizes[counts.index(max(counts))] += change - sum(sizes)
    costs = [one.get_cost(size) for one, size in zip(quotes, sizes, strict=True)]
    if not all(sizes) or any(cost is None for cost in costs):
        return None
    orders = [one.get_order(size) for one, size in zip(quotes, sizes, strict=True)]
    fixed = sum(one.leg.fixed_cost_wad for one in quotes)
    return Hedge(
        tuple(order for order in orders if order is not None),
        sum(cost for cost in costs if cost is not None) + fixed,
    )


def _get_rise(one: _Quotes, change: int, parts: int, count: int) -> int | None:
    before, after = (one.get_cost(change * k // parts) for k in (count, count + 1))
    return None if before is None or after is None else after - before
