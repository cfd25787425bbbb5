"""A market: its prices, its funding, and the limits of what a trade may do to its price.

Mirror of ``Exchange``, ``AccountBalance._getMarkPrice`` and ``BaseToken``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import PIPS, Q96, div_trunc
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.concentrated.curve import Curve
from onchain_exec.venues.concentrated.tick_math import MAX_TICK, MIN_TICK, get_sqrt_price_at_tick
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.twaps import PriceFeed, TickHistory

_SHORT_MEAN_S: Final = 15
"""The mean that stands for the market's price in the mark price; the contract has no setting for it."""
_SHORTEST_MEAN_S: Final = 10
"""Below it a mean is the price itself (``UniswapV3Broker.getSqrtMarketTwapX96From``)."""
_TICK_INTERVAL_S: Final = 15
"""How long the tick that price limits count from stays (``Exchange._PRICE_LIMIT_INTERVAL``)."""
_MAX_MAKER_SPREAD_PIPS: Final = 100_000


class Status(Enum):
    """What a market's base token allows."""

    OPEN = 0
    PAUSED = 1
    CLOSED = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """What ``ClearingHouseConfig`` sets for all markets: ratios in pips, intervals in seconds."""

    initial_margin_pips: int
    maintenance_margin_pips: int
    liquidation_penalty_pips: int
    max_funding_pips: int
    twap_interval_s: int
    mark_twap_interval_s: int
    mark_premium_interval_s: int
    max_markets_per_account: int
    settlement_balance_cap: int


@dataclass(frozen=True, slots=True)
class Fees:
    """A market's ratios in pips. ``exchange`` is what a trade pays, without any discount; the v3 pool's own
    fee ``pool`` is worked around. Of each fee, the share ``insurance_fund`` goes to the fund."""

    exchange: int
    pool: int
    insurance_fund: int
    max_price_spread: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Premium times seconds since the market began, per base and per base over the root of the price."""

    tw_premium_x96: int
    tw_premium_div_by_sqrt_price_x96: int


@dataclass(frozen=True, slots=True)
class TickGrowth:
    """What fee and funding had grown outside a tick (``Tick.GrowthInfo``)."""

    fee_x128: int
    tw_premium_x96: int
    tw_premium_div_by_sqrt_price_x96: int


@dataclass(frozen=True, slots=True)
class Market:
    """A market as it stood in the read block; its methods answer for any time from then on.

    ``curve`` is the v3 pool's, with the pool's fee. ``outside`` holds the growth outside of those ticks
    that were read: of orders that matter. Paused markets have ``stopped_at`` and ``stopped_price_wad``.
    """

    base_token: Address
    symbol: str
    pool: Address
    status: Status
    stopped_at: int
    stopped_index_wad: int
    closed_price_wad: int
    curve: Curve
    history: TickHistory
    feed: PriceFeed
    fees: Fees
    max_orders: int
    max_ticks_per_block: int
    last_tick: int
    last_tick_at: int
    first_traded_at: int
    last_settled_at: int
    growth: Growth
    fee_growth_x128: int
    outside: Mapping[int, TickGrowth]

    def get_market_price_wad(self, interval_s: int, at: int) -> int:
        """Return the pool's price, or what its mean tick over the interval stands for, rounded down."""
        return signed.wad_of_x96(signed.price_x96(self._get_sqrt_price_x96(interval_s, at)))

    def get_index_price_wad(self, interval_s: int, at: int) -> int:
        """Return the feed's price or mean; of a market that is not open the one it stopped at."""
        if not self.is_open:
            return self.stopped_index_wad
        return self.feed.get_price_wad(interval_s, at)

    def get_mark_price_wad(self, rules: Rules, at: int) -> int:
        """Return the price that liquidations go by: the median of the market's price over 15 s, over a long
        interval, and of the index with the market's premium. Mirror of ``AccountBalance.getMarkPrice``."""
        premium = self.get_market_price_wad(rules.mark_premium_interval_s, at)
        premium -= self.get_index_price_wad(rules.mark_premium_interval_s, at)
        with_premium = self.get_index_price_wad(0, at) + premium
        if with_premium < 0:
            raise PoolRevertError("", found=f"an index with premium of {with_premium}")
        return signed.median_of_three(
            self.get_market_price_wad(_SHORT_MEAN_S, at),
            self.get_market_price_wad(rules.mark_twap_interval_s, at),
            with_premium,
        )

    def get_reference_price_wad(self, rules: Rules, at: int) -> int:
        """Return the price that positions are valued at. Mirror of ``AccountBalance._getReferencePrice``."""
        if self.is_open:
            return self.get_mark_price_wad(rules, at)
        return self.closed_price_wad if self.status is Status.CLOSED else self.stopped_index_wad

    def get_twaps_x96(self, rules: Rules, at: int) -> tuple[int, int]:
        """Return the means of market and index that funding goes by."""
        until = at if self.is_open else self.stopped_at
        interval_s = min(rules.twap_interval_s, until - self.first_traded_at) if self.first_traded_at else 0
        market_x96 = signed.price_x96(self._get_sqrt_price_x96(interval_s, until))
        return market_x96, signed.x96_of_wad(self.get_index_price_wad(interval_s, until))

    def get_premium_x96(self, rules: Rules, at: int) -> int:
        """Return market less index as funding counts it: within the index times the maximum rate.

        Mirror of ``Exchange._getDeltaTwapX96``. Longs pay it per base and day while it is positive.
        """
        market_x96, index_x96 = self.get_twaps_x96(rules, at)
        limit = signed.mul_ratio(index_x96, rules.max_funding_pips)
        return max(-limit, min(limit, market_x96 - index_x96))

    def get_growth(self, rules: Rules, at: int) -> Growth:
        """Return the funding's growth until ``at``. ``Exchange._getFundingGrowthGlobalAndTwaps``."""
        until = at if self.is_open else self.stopped_at
        if until == self.last_settled_at or not self.last_settled_at:
            return self.growth
        delta_x96 = self.get_premium_x96(rules, at) * (until - self.last_settled_at)
        return Growth(
            self.growth.tw_premium_x96 + delta_x96,
            self.growth.tw_premium_div_by_sqrt_price_x96
            + signed.mul_div(delta_x96, Q96, self.curve.sqrt_price_x96),
        )

    def settle(self, rules: Rules, at: int) -> Market:
        """Return the market after ``Exchange.settleFunding`` has written down its growth at ``at``."""
        cached = replace(self, feed=self.feed.cache())
        until = at if self.is_open else self.stopped_at
        if until != self.last_settled_at:
            cached = replace(cached, growth=cached.get_growth(rules, at), last_settled_at=until)
        if until < self.last_tick_at + _TICK_INTERVAL_S:
            return cached
        return replace(cached, last_tick_at=until, last_tick=self.curve.tick)

    def with_curve(self, curve: Curve, at: int) -> Market:
        """Return the market after its pool went to ``curve``: the tick it left is written down."""
        history = self.history if curve.tick == self.curve.tick else self.history.write(at, self.curve.tick)
        return replace(self, curve=curve, history=history)

    def with_index(self, price_wad: int, at: int) -> Market:
        """Return the market after a round of its feed at ``at``, for a what-if."""
        answer = price_wad * 10**self.feed.decimals // 10**18
        return replace(self, feed=self.feed.with_price(answer, at))

    def get_spread_pips(self, interval_s: int, at: int) -> int:
        """Return how far the pool's price is from the index. Mirror of ``Exchange._getPriceSpreadRatio``."""
        market_wad = self.get_market_price_wad(0, at)
        index_wad = self.get_index_price_wad(interval_s, at)
        return signed.mul_div(market_wad - index_wad, PIPS, index_wad)

    def is_over_spread(self, rules: Rules, at: int) -> bool:
        """Return whether makers are shut out. Mirror of ``Exchange.isOverPriceSpread``."""
        return abs(self.get_spread_pips(rules.twap_interval_s, at)) > _MAX_MAKER_SPREAD_PIPS

    def get_closing_limit_x96(self, buys: bool, limit_x96: int) -> int:
        """Return where a closing trade stops: the caller's limit or the nearer one of the block's ticks.

        Mirror of ``Exchange._getSqrtPriceLimitForClosingPosition``.
        """
        tick = self.last_tick + (self.max_ticks_per_block if buys else -self.max_ticks_per_block)
        tick = MAX_TICK - 1 if tick > MAX_TICK else MIN_TICK + 1 if tick < MIN_TICK else tick
        target = get_sqrt_price_at_tick(tick)
        if not limit_x96:
            return target
        return min(target, limit_x96) if buys else max(target, limit_x96)

    @property
    def is_open(self) -> bool:
        """Whether it trades."""
        return self.status is Status.OPEN

    def require_open(self) -> None:
        """Refuse a market that is paused or closed.

        Raises:
            PoolRevertError: ``CH_MNO``.
        """
        if not self.is_open:
            raise PoolRevertError(
                "CH_MNO", found=f"{self.symbol} is {self.status.name.lower()}", needed="an open market"
            )

    def _get_sqrt_price_x96(self, interval_s: int, until: int) -> int:
        if interval_s < _SHORTEST_MEAN_S:
            return self.curve.sqrt_price_x96
        grown = self.history.get_cumulative(until, self.curve.tick)
        grown -= self.history.get_cumulative(until - interval_s, self.curve.tick)
        return get_sqrt_price_at_tick(div_trunc(grown, interval_s))
