"""One market: skew, funding, the price a trade is filled at, and its fee. Mirror of ``PerpsMarket``.

Everything is in 1e18: sizes and skew in base, prices and money in dollars, rates as shares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.decimals import div_d, mul_d

_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Rules:
    """A market's settings, in the order of the getters that tell them."""

    maker_fee: int
    taker_fee: int
    max_size: int
    max_value: int
    skew_scale: int
    max_funding_velocity: int
    initial_margin: int
    minimum_initial_margin: int
    maintenance_scalar: int
    flag_reward: int
    minimum_position_margin: int
    liquidation_multiplier: int
    liquidation_window_s: int
    max_liquidation_pd: int
    endorsed_liquidator: Address
    locked_oi: int

    @property
    def most_per_window(self) -> int:
        """What may be liquidated within a window. ``maxLiquidationAmountInWindow``."""
        per_second = mul_d(
            mul_d(self.maker_fee + self.taker_fee, self.skew_scale), self.liquidation_multiplier
        )
        return per_second * self.liquidation_window_s

    def count_windows(self, size: int) -> int:
        """Return in how many windows a size is liquidated. ``numberOfLiquidationWindows``."""
        most = self.most_per_window
        return -(-abs(size) // most) if most else 0

    def get_margins(self, size: int, price: int) -> tuple[int, int]:
        """Return initial and maintenance margin of a size. ``calculateRequiredMargins``."""
        if not size:
            return 0, 0
        impact = div_d(abs(size), self.skew_scale) if self.skew_scale else 0
        initial = mul_d(impact, self.initial_margin) + self.minimum_initial_margin
        notional = mul_d(abs(size), price)
        return (
            mul_d(notional, initial) + self.minimum_position_margin,
            mul_d(notional, mul_d(initial, self.maintenance_scalar)) + self.minimum_position_margin,
        )

    def get_credit(self, size: int, price: int) -> int:
        """Return the credit that a size locks, signed as it. ``requiredCreditForSize``."""
        return mul_d(mul_d(size, price), self.locked_oi)


class Strategy(NamedTuple):
    """How orders are settled: from ``delay_s`` after they were committed, for ``window_s``."""

    kind: int
    delay_s: int
    window_s: int
    price_contract: Address
    feed: bytes
    reward: int
    is_disabled: bool
    price_delay_s: int


class Liquidated(NamedTuple):
    """What was liquidated in one second."""

    amount: int
    at: int


@dataclass(frozen=True, slots=True)
class Market:
    """A market at one moment. ``price`` is the oracle's, ``liquidated`` the last liquidations."""

    id: int
    symbol: str
    rules: Rules
    strategy_id: int
    strategy: Strategy
    price: int
    skew: int
    size: int
    funding_rate: int
    funding_value: int
    funded_at: int
    liquidated: tuple[Liquidated, ...] = ()

    @property
    def skewed_price(self) -> int:
        """What an infinitely small trade is filled at."""
        return self.get_fill_price(0, self.price)

    @property
    def velocity(self) -> int:
        """How fast the funding rate grows, per day. ``currentFundingVelocity``."""
        if not self.rules.skew_scale:
            return 0
        skew = max(-WAD, min(WAD, div_d(self.skew, self.rules.skew_scale)))
        return mul_d(skew, self.rules.max_funding_velocity)

    def get_funding_rate(self, at: int) -> int:
        """Return the share of their size that longs pay per day. ``currentFundingRate``."""
        return self.funding_rate + mul_d(self.velocity, self._count_days(at))

    def get_funding_value(self, price: int, at: int) -> int:
        """Return what one base of a long got since ever. ``calculateNextFunding``."""
        mean = -div_d(self.funding_rate + self.get_funding_rate(at), 2 * WAD)
        return self.funding_value + mul_d(mul_d(mean, self._count_days(at)), price)

    def funded(self, price: int, at: int) -> Market:
        """Return the market with funding recorded until now. ``recomputeFunding``."""
        rate, value = self.get_funding_rate(at), self.get_funding_value(price, at)
        return replace(self, funding_rate=rate, funding_value=value, funded_at=at)

    def get_fill_price(self, size: int, price: int) -> int:
        """Return the mean of the skewed prices before and after a trade. ``calculateFillPrice``."""
        scale = self.rules.skew_scale
        if not scale:
            return price
        before, after = (mul_d(price, div_d(skew, scale)) for skew in (self.skew, self.skew + size))
        if (both := 2 * price + before + after) < 0:
            raise PoolRevertError("OverflowInt256ToUint256", found=f"a price of {both} / 2")
        return div_d(both, 2 * WAD)

    def get_fee(self, size: int, fill_price: int) -> int:
        """Return the fee of a trade: the maker's for what balances the skew. ``calculateOrderFee``."""
        maker, taker, skew = self.rules.maker_fee, self.rules.taker_fee, self.skew
        notional = mul_d(size, fill_price)
        if _is_same_side(skew + size, skew):
            return abs(mul_d(notional, taker if _is_same_side(notional, skew) else maker))
        balanced = mul_d(mul_d(abs(skew), fill_price), maker)
        return mul_d(mul_d(abs(skew + size), fill_price), taker) + balanced

    def changed(self, before: int, after: int) -> Market:
        """Return the market after a position's size changed. Mirror of ``updatePositionData``."""
        size = self.size + abs(after) - abs(before)
        return replace(self, size=size, skew=self.skew + after - before)

    def require_room(self, before: int, after: int, price: int) -> None:
        """Refuse positions beyond the market's limits. Mirror of ``validatePositionSize``.

        Raises:
            PoolRevertError: ``MaxOpenInterestReached``, ``MaxUSDOpenInterestReached``.
        """
        if is_reducing(before, after):
            return
        skew, size = self.skew - before + after, self.size - abs(before) + abs(after)
        side = abs(size + skew if after > 0 else size - skew) // 2
        found = f"{side / WAD:g} on one side of {self.symbol}"
        if self.rules.max_size < side:
            raise PoolRevertError(
                "MaxOpenInterestReached", found=found, needed=f"{self.rules.max_size / WAD:g} at most"
            )
        if 0 < self.rules.max_value < mul_d(side, price):
            raise PoolRevertError(
                "MaxUSDOpenInterestReached", found=found, needed=f"{self.rules.max_value / WAD:g} USD at most"
            )

    def get_liquidatable(self, requested: int, liquidator: Address, at: int) -> int:
        """Return how much of a size may be liquidated now. Mirror of ``maxLiquidatableAmount``."""
        most = self.rules.most_per_window
        if liquidator == self.rules.endorsed_liquidator or not most:
            return requested
        start = at - self.rules.liquidation_window_s
        room = max(0, most - sum(one.amount for one in self.liquidated if one.at > start))
        if room:
            return min(room, requested)
        is_new_block = not self.liquidated or self.liquidated[-1].at != at
        is_balanced = div_d(abs(self.skew), self.rules.skew_scale) < self.rules.max_liquidation_pd
        return min(most, requested) if is_new_block and is_balanced else 0

    def with_liquidated(self, amount: int, liquidator: Address, at: int) -> Market:
        """Return the market that remembers a liquidation. Mirror of ``_updateLiquidationData``."""
        if liquidator != self.rules.endorsed_liquidator and not self.rules.most_per_window:
            return self
        *earlier, last = self.liquidated or (Liquidated(0, at),)
        if last.at != at:
            return replace(self, liquidated=(*self.liquidated, Liquidated(amount, at)))
        return replace(self, liquidated=(*earlier, Liquidated(last.amount + amount, at)))

    def _count_days(self, at: int) -> int:
        return div_d(at - self.funded_at, _DAY_S)


def is_reducing(before: int, after: int) -> bool:
    """Return whether a position gets smaller on its side. Mirror of ``isSameSideReducing``."""
    return _is_same_side(before, after) and abs(after) < abs(before)


def _is_same_side(one: int, other: int) -> bool:
    return not one or not other or (one > 0) == (other > 0)
