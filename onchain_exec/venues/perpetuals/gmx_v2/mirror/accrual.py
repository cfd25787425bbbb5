"""Funding, borrowing and the impact pool brought up to a time, as before every order.

Mirror of ``PositionUtils.updateFundingAndBorrowingState`` and ``MarketUtils.distributePositionImpactPool``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from onchain_exec.core.fixed_point import div_up, mul_div_down, mul_div_up
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import BySide, Cell, Market, Prices
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT, apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import (
    NextFunding,
    get_borrowing_per_second,
    get_next_funding,
    get_usage,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import GlobalRules

PER_SIZE: Final = FLOAT * 10**15
"""One base unit for each dollar of size. ``FLOAT_PRECISION * FLOAT_PRECISION_SQRT``."""


def accrue(market: Market, rules: GlobalRules, prices: Prices, at: int) -> Market:
    """Return the market as an order finds it: impact distributed, funding and borrowing charged."""
    return _accrue_borrowing(_accrue_funding(_distribute(market, at), rules, prices, at), rules, prices, at)


def get_funding(market: Market, rules: GlobalRules, prices: Prices, at: int) -> NextFunding:
    """Return the funding rate at a time; none while a side is empty."""
    if not market.get_interest(True) or not market.get_interest(False):
        return NextFunding(0, False, 0)
    balance = market.get_balance(prices.index.middle, rules.counts_tokens)
    return get_next_funding(market.rules.funding, balance, market.saved_funding, _since(market.funded_at, at))


def get_borrowing(market: Market, rules: GlobalRules, prices: Prices, is_long: bool) -> int:
    """Return a side's borrowing rate per second. Mirror of ``getBorrowingFactorPerSecond``."""
    reserved, own = market.get_reserved(is_long, prices), market.rules.borrowing.of(is_long)
    if not reserved:
        return 0
    if rules.spares_smaller_side:
        balance = market.get_balance(prices.index.middle, rules.counts_tokens)
        if (balance.longs < balance.shorts) if is_long else (balance.shorts < balance.longs):
            return 0
    pool = market.get_pool_usd(is_long, prices)
    factor = market.rules.open_interest_reserve.of(is_long)
    usage = get_usage(reserved, pool, factor) if pool and own.optimal_usage else 0
    return get_borrowing_per_second(own, reserved, pool, usage)


def get_split(market: Market, longs_pay: bool) -> tuple[int, int]:
    """Return the open interest of the paying side by its collateral: the long token's and the short's."""
    long, short = (market.interest[Cell(token, longs_pay)] // market.divisor for token in market.tokens)
    return long, short


def _distribute(market: Market, at: int) -> Market:
    rules = market.rules
    spare = market.impact_pool - rules.min_impact_pool
    due = apply_factor(_since(market.impact_distributed_at, at), rules.impact_distribution_rate)
    paid = max(0, min(spare, due))
    return replace(market, impact_pool=market.impact_pool - paid, impact_distributed_at=at)


def _accrue_funding(market: Market, rules: GlobalRules, prices: Prices, at: int) -> Market:
    """Mirror of ``updateFundingState``: payers owe in their own collateral, and who is paid gets both."""
    seconds = _since(market.funded_at, at)
    rate = get_funding(market, rules, prices, at)
    charged = replace(market, saved_funding=rate.saved_per_second, funded_at=at)
    paying = market.get_interest(rate.longs_pay)
    if not paying:
        return charged
    paid = apply_factor(paying, seconds * rate.per_second) // market.divisor
    fees, claims = dict(market.fee_per_size), dict(market.claimable_per_size)
    both = (prices.long.most, prices.short.most)
    for token, price, part in zip(market.tokens, both, get_split(market, rate.longs_pay), strict=True):
        usd = mul_div_down(paid, part, paying)
        fees[Cell(token, rate.longs_pay)] += _per_size(usd, part, price, rounds_up=True)
        other = market.get_interest(not rate.longs_pay)
        claims[Cell(token, not rate.longs_pay)] += _per_size(usd, other, price, rounds_up=False)
    return replace(charged, fee_per_size=fees, claimable_per_size=claims)


def _accrue_borrowing(market: Market, rules: GlobalRules, prices: Prices, at: int) -> Market:
    """Mirror of ``updateCumulativeBorrowingFactor`` of both sides."""
    factors = BySide(
        *(
            market.borrowing.of(side)
            + _since(market.borrowed_at.of(side), at) * get_borrowing(market, rules, prices, side)
            for side in (True, False)
        )
    )
    return replace(market, borrowing=factors, borrowed_at=BySide(at, at))


def _per_size(usd: int, interest: int, price: int, *, rounds_up: bool) -> int:
    """Mirror of ``getFundingAmountPerSizeDelta``."""
    if not usd or not interest:
        return 0
    if rounds_up:
        return div_up(mul_div_up(usd, PER_SIZE, interest), price)
    return mul_div_down(usd, PER_SIZE, interest) // price


def _since(then: int, at: int) -> int:
    return at - then if then else 0
