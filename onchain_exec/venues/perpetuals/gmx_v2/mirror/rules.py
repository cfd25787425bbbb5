"""The settings of all GMX v2 markets, and the discounts of one account."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GlobalRules:
    """What holds in every market: factors and dollars in 1e30, times in seconds.

    ``counts_tokens`` has the balance of longs and shorts counted in the index token rather than in dollars of
    entry; ``spares_smaller_side`` lets the smaller side borrow for nothing.
    """

    position_fee_receiver: int
    borrowing_fee_receiver: int
    liquidation_fee_receiver: int
    swap_fee_receiver: int
    min_collateral_usd: int
    min_position_usd: int
    request_expiration_s: int
    max_price_age_s: int
    counts_tokens: bool
    spares_smaller_side: bool


@dataclass(frozen=True, slots=True)
class GasRules:
    """How a keeper's gas is reckoned: a base and so much per oracle price, and a factor on what the kind of
    order is taken to use, each swap on its way included."""

    base: int
    per_price: int
    multiplier: int
    increase: int
    decrease: int
    swap_order: int
    swap: int


@dataclass(frozen=True, slots=True)
class Discounts:
    """What an account's referral and tier take off its position fee, as factors; an ``affiliate`` gets part
    of it. Without a referral code all but ``pro`` is 0."""

    affiliate: int = 0
    least_affiliate: int = 0
    trader: int = 0
    pro: int = 0

    @property
    def affiliate_share(self) -> int:
        """The affiliate's factor, less where the tier takes off more than the referral."""
        if self.pro <= self.trader:
            return self.affiliate
        return max(self.least_affiliate, self.affiliate + self.trader - self.pro)
