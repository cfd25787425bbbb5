"""A quote: a route, what it costs and why, and the bound that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from onchain_exec.core import BlockRef, Order
from onchain_exec.routing.route import Route


@dataclass(frozen=True, slots=True)
class Quote:
    """A route for an order, bound to its block.

    ``mid_price`` is base units of token_out per base unit of token_in, before fees and impact.
    The costs are in base units of token_out and add up exactly for both Exact sides:
    ``floor(amount_in * mid_price) = amount_out + fee_cost + impact_cost``. ``gas_cost_wei`` and
    ``gas_cost_out`` (its worth in token_out, None if unknown) stand apart. ``amount_out_min`` and
    ``amount_in_max`` are the bounds this quote was accepted on; the side that ``exact`` fixes
    equals its amount. ``made_at`` is unix seconds.
    """

    order: Order
    route: Route
    mid_price: Fraction
    fee_cost: int
    impact_cost: int
    gas_cost_wei: int
    gas_cost_out: int | None
    amount_out_min: int
    amount_in_max: int
    made_at: int

    @property
    def block(self) -> BlockRef:
        """The block this quote belongs to."""
        return self.route.block
