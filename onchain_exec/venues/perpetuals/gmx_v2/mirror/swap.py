"""A swap of a market's two tokens, as when a decrease pays out in one of them. Mirror of ``SwapUtils``."""

from __future__ import annotations

from typing import NamedTuple

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import div_trunc, div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Market, Price, Prices
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT, apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import Impact, OpenInterest, get_balance_impact


class Swapped(NamedTuple):
    """Base units that came out, and the market after."""

    amount_out: int
    market: Market


class _Legs(NamedTuple):
    """What comes in and goes out, with prices."""

    token_in: Address
    token_out: Address
    price_in: Price
    price_out: Price


def swap(
    market: Market, prices: Prices, token_in: Address, amount_in: int, fee_receiver_factor: int
) -> Swapped:
    """Return what a swap of base units of one of the market's tokens gives.

    Raises:
        PoolRevertError: it fails; what it was for goes on without.
    """
    legs = _get_legs(market, prices, token_in)
    impact = _get_impact(market, legs, amount_in)
    rules = market.rules.swap
    fee = apply_factor(amount_in, rules.fee_if_better if impact.improves else rules.fee_if_worse)
    fee_for_pool = fee - apply_factor(fee, fee_receiver_factor)
    market, into_pool, bonus = _settle_impact(market, legs, impact.usd, amount_in - fee)
    amount_out = into_pool * legs.price_in.least // legs.price_out.most
    market = market.with_pool(token_in, into_pool + fee_for_pool).with_pool(legs.token_out, -amount_out)
    _require_balanced(market, prices, legs)
    return Swapped(amount_out + bonus, market)


def _get_legs(market: Market, prices: Prices, token_in: Address) -> _Legs:
    long, short = market.tokens
    if long == short:
        raise PoolRevertError("InvalidSwapMarket", found=f"{market.address} has one token only")
    token_out = short if token_in == long else long
    price_in, price_out = (market.get_price(token, prices) for token in (token_in, token_out))
    return _Legs(token_in, token_out, price_in, price_out)


def _get_impact(market: Market, legs: _Legs, amount_in: int) -> Impact:
    """Mirror of ``SwapPricingUtils.getPriceImpactUsd``: the worse one of its own pool and the shared one."""
    pools = OpenInterest(market.pool[legs.token_in], market.pool[legs.token_out])
    impact = _get_pool_impact(market, legs, pools, amount_in)
    if impact.usd >= 0 or market.shared_pool is None:
        return impact
    is_long = legs.token_in == market.long_token
    shared = OpenInterest(market.shared_pool.of(is_long), market.shared_pool.of(not is_long))
    return min(impact, _get_pool_impact(market, legs, shared, amount_in), key=lambda one: one.usd)


def _get_pool_impact(market: Market, legs: _Legs, pools: OpenInterest, amount_in: int) -> Impact:
    usd_in, usd_out = pools.longs * legs.price_in.middle, pools.shorts * legs.price_out.middle
    moved = amount_in * legs.price_in.middle
    if moved > usd_out:
        raise PoolRevertError(
            "UsdDeltaExceedsPoolValue",
            found=f"{moved / FLOAT:.2f} USD of a pool of {usd_out / FLOAT:.2f} USD",
        )
    before, after = OpenInterest(usd_in, usd_out), OpenInterest(usd_in + moved, usd_out - moved)
    return get_balance_impact(market.rules.swap.impact, before, after)


def _settle_impact(market: Market, legs: _Legs, impact: int, amount: int) -> tuple[Market, int, int]:
    """Return the market, what goes into its pool, and what the impact pool adds to what comes out.

    A gain is paid out of the impact pool of what goes out, and where that is empty, of what comes in.
    """
    if impact <= 0:
        cost = div_up(-impact, legs.price_in.least)
        if amount <= cost:
            raise PoolRevertError("SwapPriceImpactExceedsAmountIn", found=f"an impact of {cost}")
        return market.with_swap_impact_pool(legs.token_in, cost), amount - cost, 0
    wanted = impact // legs.price_out.most
    bonus = min(wanted, market.swap_impact_pool[legs.token_out])
    market = market.with_swap_impact_pool(legs.token_out, -bonus)
    if wanted > bonus:
        rest = (wanted - bonus) * legs.price_out.most // legs.price_in.most
        extra = min(rest, market.swap_impact_pool[legs.token_in])
        market, amount = market.with_swap_impact_pool(legs.token_in, -extra), amount + extra
    return market, amount, bonus


def _require_balanced(market: Market, prices: Prices, legs: _Legs) -> None:
    """Refuse a pool that has too much of a token, reserves too much, or owes traders too much."""
    rules = market.rules.swap
    most = rules.max_pool[legs.token_in]
    if market.pool[legs.token_in] > most:
        raise PoolRevertError(
            "MaxPoolAmountExceeded", found=f"{market.pool[legs.token_in]}", needed=f"{most}"
        )
    sells_long = legs.token_out == market.long_token
    market.require_reserve(sells_long, prices)
    for is_long in (True, False):
        limits = rules.max_pnl_for_withdrawals if is_long == sells_long else rules.max_pnl_for_deposits
        pool, won = market.get_pool_usd(is_long, prices), market.get_pnl(is_long, prices.index.pick(is_long))
        if pool and div_trunc(won * FLOAT, pool) > limits.of(is_long):
            raise PoolRevertError(
                f"PnlFactorExceededFor{'Longs' if is_long else 'Shorts'}",
                found=f"{won / FLOAT:.2f} USD won of a pool of {pool / FLOAT:.2f} USD",
            )
