"""What a GMX v2 position is charged besides fees. Mirror of ``PositionPricingUtils`` and ``MarketUtils``.

Dollars and factors are in 1e30. Open interests are a market's, of both collateral tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import (
    FLOAT,
    apply_exponent_factor,
    apply_factor,
    to_factor,
)


class OpenInterest(NamedTuple):
    """Dollars of all longs and of all shorts."""

    longs: int
    shorts: int

    @property
    def imbalance(self) -> int:
        """How far the sides are apart."""
        return abs(self.longs - self.shorts)

    @property
    def is_long(self) -> bool:
        """Whether the longs are more."""
        return self.longs > self.shorts


@dataclass(frozen=True, slots=True)
class ImpactRules:
    """A market's factors and exponents of position price impact, as the DataStore has them."""

    positive_factor: int
    negative_factor: int
    positive_exponent: int
    negative_exponent: int

    def get_positive(self, imbalance: int) -> int:
        """Return the impact of an imbalance where trades improve it: never more than the negative one."""
        return _apply(
            imbalance,
            min(self.positive_factor, self.negative_factor),
            min(self.positive_exponent, self.negative_exponent),
        )

    def get_negative(self, imbalance: int) -> int:
        """Return the impact of an imbalance where trades make it worse."""
        return _apply(imbalance, self.negative_factor, self.negative_exponent)


class Impact(NamedTuple):
    """The dollars that a change gains (negative: costs), and whether it brings the sides closer."""

    usd: int
    improves: bool


def get_price_impact(
    rules: ImpactRules,
    interest: OpenInterest,
    size_delta: int,
    is_long: bool,
    virtual_inventory: int | None = None,
) -> Impact:
    """Return what a change of a position's size gains or costs, before caps.

    ``size_delta`` is negative where the position gets smaller. ``virtual_inventory`` is what markets of the
    same token share, None where they do not; it can make a cost larger only. Mirror of
    ``PositionPricingUtils.getPriceImpactUsd``.
    """
    impact = get_balance_impact(rules, interest, _after(interest, size_delta, is_long))
    if impact.usd >= 0 or virtual_inventory is None:
        return impact
    offset = max(0, -size_delta)
    shared = OpenInterest(max(0, -virtual_inventory) + offset, max(0, virtual_inventory) + offset)
    return min(impact, get_balance_impact(rules, shared, _after(shared, size_delta, is_long)))


@dataclass(frozen=True, slots=True)
class FundingRules:
    """A market's funding settings. With an ``increase`` above 0 the rate adapts: it grows while the
    imbalance is above ``stable_threshold`` and shrinks below ``decrease_threshold``."""

    factor: int
    exponent: int
    increase: int
    decrease: int
    stable_threshold: int
    decrease_threshold: int
    minimum: int
    maximum: int


class NextFunding(NamedTuple):
    """A rate per second on positions' size, who pays it, and what the market saves for the next time."""

    per_second: int
    longs_pay: bool
    saved_per_second: int


def get_next_funding(rules: FundingRules, interest: OpenInterest, saved: int, seconds: int) -> NextFunding:
    """Return the funding rate ``seconds`` after it was saved. ``MarketUtils.getNextFundingFactorPerSecond``.

    Raises:
        PoolRevertError: ``UnableToGetFundingFactorEmptyOpenInterest``.
    """
    if not interest.imbalance and not rules.increase:
        return NextFunding(0, True, 0)
    if not sum(interest):
        raise PoolRevertError("UnableToGetFundingFactorEmptyOpenInterest", found="no open interest")
    share = to_factor(apply_exponent_factor(interest.imbalance, rules.exponent), sum(interest))
    if not rules.increase:
        return NextFunding(min(apply_factor(share, rules.factor), rules.maximum), interest.is_long, 0)
    moved = _adapt(rules, interest, saved, share, seconds)
    kept = _bound(moved, 0, rules.maximum)
    charged = _bound(kept, rules.minimum, rules.maximum)
    return NextFunding(abs(charged), charged > 0, kept)


@dataclass(frozen=True, slots=True)
class BorrowingRules:
    """One side's borrowing settings. With an ``optimal_usage`` above 0 the rate has a kink there, else it is
    ``factor`` times a power of what is reserved."""

    factor: int
    exponent: int
    optimal_usage: int
    base_factor: int
    above_optimal_factor: int


def get_borrowing_per_second(rules: BorrowingRules, reserved: int, pool: int, usage: int = 0) -> int:
    """Return the borrowing rate per second on positions' size. ``MarketUtils.getBorrowingFactorPerSecond``.

    ``reserved`` and ``pool`` are dollars of one side, ``usage`` what ``getUsageFactor`` gives.

    Raises:
        PoolRevertError: ``UnableToGetBorrowingFactorEmptyPoolUsd``.
    """
    if not reserved:
        return 0
    if not pool:
        raise PoolRevertError("UnableToGetBorrowingFactorEmptyPoolUsd", found="an empty pool")
    if rules.optimal_usage:
        return _get_kinked(rules, usage)
    return apply_factor(to_factor(apply_exponent_factor(reserved, rules.exponent), pool), rules.factor)


def get_usage(reserved: int, pool: int, reserve_factor: int) -> int:
    """Return how much of what a side may reserve is reserved. Mirror of ``MarketUtils.getUsageFactor``."""
    return to_factor(reserved, apply_factor(pool, reserve_factor))


def _apply(imbalance: int, factor: int, exponent: int) -> int:
    return apply_factor(apply_exponent_factor(imbalance, exponent), factor)


def _after(interest: OpenInterest, size_delta: int, is_long: bool) -> OpenInterest:
    if is_long:
        return OpenInterest(max(0, interest.longs + size_delta), interest.shorts)
    return OpenInterest(interest.longs, max(0, interest.shorts + size_delta))


def get_balance_impact(rules: ImpactRules, before: OpenInterest, after: OpenInterest) -> Impact:
    """Return the impact of a change of two sides' balance, of open interests or of a pool's tokens.

    Mirror of ``PricingUtils``' two cases: the larger side stays the larger one, or changes.
    """
    improves = after.imbalance < before.imbalance
    if before.is_long == after.is_long:
        get = rules.get_positive if improves else rules.get_negative
        return Impact(get(before.imbalance) - get(after.imbalance), improves)
    usd = rules.get_positive(before.imbalance) - rules.get_negative(after.imbalance)
    return Impact(usd, improves)


def _adapt(rules: FundingRules, interest: OpenInterest, saved: int, share: int, seconds: int) -> int:
    same_way = (saved > 0 and interest.is_long) or (saved < 0 and interest.longs < interest.shorts)
    if not same_way or share > rules.stable_threshold:
        growth = apply_factor(share, rules.increase) * seconds
        return saved - growth if interest.longs < interest.shorts else saved + growth
    if share < rules.decrease_threshold and saved:
        sign = 1 if saved > 0 else -1
        return sign * max(abs(saved) - rules.decrease * seconds, 1)
    return saved


def _bound(value: int, least: int, most: int) -> int:
    """Mirror of ``Calc.boundMagnitude``: zero counts as positive."""
    size = min(max(abs(value), least), most)
    return -size if value < 0 else size


def _get_kinked(rules: BorrowingRules, usage: int) -> int:
    """Mirror of ``MarketUtils.getKinkBorrowingFactor``."""
    rate = apply_factor(usage, rules.base_factor)
    if rules.optimal_usage < min(usage, FLOAT):
        extra = max(0, rules.above_optimal_factor - rules.base_factor)
        rate += extra * (usage - rules.optimal_usage) // (FLOAT - rules.optimal_usage)
    return rate
