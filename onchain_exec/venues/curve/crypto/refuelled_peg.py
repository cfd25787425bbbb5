"""What a swap does to a twocrypto that takes donations: ``tweak_price`` of its contract.

Donated shares count as nobody's as they are released over time. They are burnt to pay for moving the
price scale, which the pool's profit alone would not bear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.curve.crypto.peg import Curve, Peg, Trade
from onchain_exec.venues.curve.crypto.refuelled_curve import compute_d, compute_price, compute_value
from onchain_exec.venues.curve.revert import refuse


@dataclass(frozen=True, slots=True)
class RefuelledPeg(Peg):
    """The peg of a twocrypto that takes donations.

    ``donation_shares`` are released evenly over ``release_s`` from ``released_at`` on; while
    ``guarded_until`` is not past, what is released is held back in proportion to the time left, all of it
    ``guard_s`` before. Times are unix seconds.
    """

    donation_shares: int
    released_at: int
    release_s: int
    guarded_until: int
    guard_s: int

    @property
    def recomputes_d(self) -> bool:
        """Whether a swap meets the invariant of its balances: until the first one after a ramp's end."""
        return self.ramp.ends_at > self.averaged_at

    @property
    def released_shares(self) -> int:
        """The donated shares that may be burnt; mirror of ``_donation_shares``."""
        if not self.donation_shares:
            return 0
        elapsed = self.traded_at - self.released_at
        released = min(self.donation_shares, self.donation_shares * elapsed // self.release_s)
        left = max(0, self.guarded_until - self.traded_at)
        held = min(left * WAD // self.guard_s, WAD) if left else 0
        return released * (WAD - held) // WAD

    def settle(self, curve: Curve, scaled: Sequence[int], trade: Trade, k0: int) -> tuple[Self, Curve]:
        """Return the peg and the curve after a swap; see `Peg.settle`.

        Raises:
            PoolRevertError: the swap would lower the pool's value ("virtual price decreased").
        """
        (scale,) = curve.price_scale_wad
        d = compute_d(curve.ann, scaled)
        value = compute_value(d, scale)
        value_wad = WAD * value // self.lp_supply
        if value_wad < self.virtual_price_wad and not self.recomputes_d:
            refuse("the pool would lose value", "virtual price decreased")
        after = replace(
            self,
            price_oracle_wad=self._average(curve.price_scale_wad),
            last_prices_wad=(compute_price(curve.ann, scaled, d) * scale // WAD,),
            averaged_at=max(self.averaged_at, self.traded_at),
            virtual_price_wad=value_wad,
            xcp_profit_wad=self.xcp_profit_wad + value_wad - self.virtual_price_wad,
        )
        settled = curve._replace(d=d)
        boosted_wad = WAD * value // (self.lp_supply - self.released_shares)
        if boosted_wad <= after.least_value_wad + self.allowed_extra_profit_wad:
            return after, settled
        return after._follow_average(settled, scaled)

    @property
    def least_value_wad(self) -> int:
        """What moving the price scale must leave: half of the profit."""
        return max(WAD, (self.xcp_profit_wad + WAD) // 2)

    def _follow_average(self, curve: Curve, scaled: Sequence[int]) -> tuple[Self, Curve]:
        (scale,), (average,) = curve.price_scale_wad, self.price_oracle_wad
        distance = abs(average * WAD // scale - WAD)
        step = max(self.adjustment_step_wad, distance // 5)
        if distance <= step:
            return self, curve
        moved = (scale * (distance - step) + step * average) // distance
        d = compute_d(curve.ann, (scaled[0], scaled[1] * moved // scale))
        value = compute_value(d, moved)
        value_wad, burnt, goal_wad = (
            WAD * value // self.lp_supply,
            0,
            max(self.least_value_wad, self.virtual_price_wad),
        )
        if value_wad < goal_wad:
            burnt = min(self.lp_supply - WAD * value // goal_wad, self.released_shares)
            value_wad = WAD * value // (self.lp_supply - burnt)
        if value_wad <= WAD or value_wad < self.least_value_wad:
            return self, curve
        after = replace(
            self,
            virtual_price_wad=value_wad,
            lp_supply=self.lp_supply - burnt,
            donation_shares=self.donation_shares - burnt,
            released_at=self.traded_at if burnt else self.released_at,
        )
        return after, curve._replace(d=d, price_scale_wad=(moved,))
