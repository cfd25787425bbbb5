"""Why a quote's bound lies where it lies."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class BoundReason(enum.Enum):
    """What decided how far a fill may be from its quote."""

    GIVEN = "given"
    """The order names its own slippage."""

    POLICY = "policy"
    """The desk's most for orders that name none: no history tells how the price moves, or it moves more."""

    VOLATILITY = "volatility"
    """What the price may move until inclusion, but for the stated chance."""

    SANDWICH = "sandwich"
    """The widest bound under which no sandwich pays, tighter than the others."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The reason of a bound, and what follows from it.

    ``deviation_per_block`` is the standard deviation of the logarithm of the price over a block, None where
    no history tells it, and with it ``revert_chance``: how probable it is that the price alone passes the
    bound within ``blocks``, so that the order reverts needlessly. ``at_stake`` is what the best sandwich
    costs the order under the bound that was given, or that all but sandwiches would have it have; base
    units of the token whose amount the market decides, 0 where none pays.
    """

    reason: BoundReason
    blocks: int
    at_stake: int = 0
    deviation_per_block: float | None = None
    revert_chance: float | None = None
