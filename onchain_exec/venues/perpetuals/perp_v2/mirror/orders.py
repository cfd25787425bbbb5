"""A maker's orders: what each holds, has earned and owes. Mirror of ``OrderBook`` and ``Funding``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from onchain_exec.core.fixed_point import Q96, Q128, div_trunc, mul_div_down
from onchain_exec.venues.concentrated.sqrt_price_math import get_amount0_down, get_amount1_down
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Growth, Market

_WRAP: Final = 1 << 256


@dataclass(frozen=True, slots=True)
class Order:
    """A maker's liquidity between two ticks (``OpenOrder.Info``); the ``last_`` are growths when it was last
    settled, the debts what was minted for it, in 1e18."""

    tick_lower: int
    tick_upper: int
    liquidity: int
    last_fee_growth_x128: int
    last_growth: RangeGrowth
    base_debt: int
    quote_debt: int

    def get_base(self, market: Market) -> int:
        """Return the base in it at the pool's price. Mirror of ``getTotalTokenAmountInPool``."""
        lower, upper = get_sqrt_price_at_tick(self.tick_lower), get_sqrt_price_at_tick(self.tick_upper)
        price = market.curve.sqrt_price_x96
        return get_amount0_down(max(price, lower), upper, self.liquidity) if price < upper else 0

    def get_quote(self, market: Market) -> int:
        """Return the quote in it at the pool's price, without fees."""
        lower, upper = get_sqrt_price_at_tick(self.tick_lower), get_sqrt_price_at_tick(self.tick_upper)
        price = market.curve.sqrt_price_x96
        return get_amount1_down(lower, min(price, upper), self.liquidity) if price > lower else 0

    def get_pending_fee(self, market: Market) -> int:
        """Return the quote fees that it has earned and not been credited. Mirror of ``getPendingFee``."""
        grown = get_fee_growth_inside_x128(market, self.tick_lower, self.tick_upper)
        return mul_div_down((grown - self.last_fee_growth_x128) % _WRAP, self.liquidity, Q128)

    def get_funding(self, market: Market, growth: Growth) -> int:
        """Return what it owes of funding, times a day: from the base that it held, wherever the price was.

        Mirror of ``Funding.calcLiquidityCoefficientInFundingPaymentByOrder``.
        """
        now, last = get_range_growth(market, self.tick_lower, self.tick_upper, growth), self.last_growth
        upper = get_sqrt_price_at_tick(self.tick_upper)
        base_below = get_amount0_down(get_sqrt_price_at_tick(self.tick_lower), upper, self.liquidity)
        below = base_below * (now.below_x96 - last.below_x96)
        at_upper = signed.mul_div(now.inside_x96 - last.inside_x96, Q96, upper)
        inside = self.liquidity * (now.inside_div_x96 - last.inside_div_x96 - at_upper)
        return div_trunc(below + inside, Q96)


class RangeGrowth(NamedTuple):
    """Funding's growth inside a range, below it, and inside over the root of the price."""

    inside_x96: int
    below_x96: int
    inside_div_x96: int


def sort_orders(orders: Iterable[Order]) -> tuple[Order, ...]:
    """Return orders by their ticks: the contract's own sequence changes with removals and means nothing."""
    return tuple(sorted(orders, key=lambda order: (order.tick_lower, order.tick_upper)))


def get_fee_growth_inside_x128(market: Market, tick_lower: int, tick_upper: int) -> int:
    """Return the fees per liquidity earned inside a range. Mirror of ``Tick.getFeeGrowthInsideX128``."""
    lower, upper = market.outside[tick_lower].fee_x128, market.outside[tick_upper].fee_x128
    tick, total = market.curve.tick, market.fee_growth_x128
    below = lower if tick >= tick_lower else total - lower
    above = upper if tick < tick_upper else total - upper
    return (total - below - above) % _WRAP


def get_range_growth(market: Market, tick_lower: int, tick_upper: int, growth: Growth) -> RangeGrowth:
    """Return the funding's growth in and below a range. Mirror of ``Tick.getAllFundingGrowth``."""
    lower, upper, tick = market.outside[tick_lower], market.outside[tick_upper], market.curve.tick

    def split(total: int, outside_lower: int, outside_upper: int) -> tuple[int, int]:
        below = outside_lower if tick >= tick_lower else total - outside_lower
        above = outside_upper if tick < tick_upper else total - outside_upper
        return total - below - above, below

    inside, below = split(growth.tw_premium_x96, lower.tw_premium_x96, upper.tw_premium_x96)
    inside_div, _ = split(
        growth.tw_premium_div_by_sqrt_price_x96,
        lower.tw_premium_div_by_sqrt_price_x96,
        upper.tw_premium_div_by_sqrt_price_x96,
    )
    return RangeGrowth(inside, below, inside_div)
