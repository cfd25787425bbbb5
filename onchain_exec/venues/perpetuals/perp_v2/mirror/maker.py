"""Providing liquidity and taking it back. Mirror of ``ClearingHouse`` and ``OrderBook``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import MAX_UINT128, Q96, WAD, mul_div_down
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.concentrated import sqrt_price_math as price_math
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.perpetuals.perp_v2.mirror.books import (
    book_trade,
    get_realised_pnl,
    register,
    require_free_collateral,
    require_running,
    settle_funding,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.margin import get_free_collateral, is_liquidatable
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Market, Status, TickGrowth
from onchain_exec.venues.perpetuals.perp_v2.mirror.orders import (
    Order,
    get_fee_growth_inside_x128,
    get_range_growth,
    sort_orders,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Position, State


class Range(NamedTuple):
    """Where an order's liquidity lies."""

    tick_lower: int
    tick_upper: int


@dataclass(frozen=True, slots=True)
class Provided:
    """What a change of liquidity did: base and quote added or taken back, fees earned, all in 1e18."""

    state: State
    base: int
    quote: int
    fee: int
    liquidity: int


def add_liquidity(
    state: State, owner: Address, base_token: Address, where: Range, amounts: tuple[int, int]
) -> Provided:
    """Return what ``ClearingHouse.addLiquidity`` does with at most ``amounts`` of base and quote.

    Raises:
        StaleStateError: the index price has timed out.
        InputError: ticks off the pool's spacing, or whose growth was not read.
        PoolRevertError: the contract would revert: ``CH_OMPS``, ``CH_NEFCI``, ``OB_ONE``.
    """
    require_running(state)
    market = state.get_market(base_token)
    market.require_open()
    market.feed.require_fresh(state.at)
    if market.is_over_spread(state.rules, state.at):
        raise PoolRevertError(
            "CH_OMPS", found=f"{market.symbol} is far from its index", needed="10 % at most"
        )
    state = settle_funding(register(state, owner, base_token), owner, base_token)
    market = state.get_market(base_token)
    liquidity = get_liquidity(market.curve.sqrt_price_x96, where, amounts)
    if not liquidity:
        raise PoolRevertError("", found=f"{amounts} is no liquidity between {where}")
    base, quote = _amounts(market, where, liquidity, up=True)
    market = _with_ticks(market, where)
    curve = market.curve.with_liquidity(*where, liquidity)
    market = replace(market, curve=curve)
    position = state.get_account(owner).get_position(base_token)
    order, fee = _grow(market, position, where, liquidity, (base, quote))
    others = tuple(kept for kept in position.orders if (kept.tick_lower, kept.tick_upper) != where)
    account = state.get_account(owner).with_pnl(fee)
    orders = sort_orders((*others, order))
    account = account.with_position(base_token, replace(position, orders=orders))
    state = state.with_market(market).with_account(account)
    require_free_collateral(state, owner, state.rules.initial_margin_pips, "CH_NEFCI")
    return Provided(state, base, quote, fee, liquidity)


def remove_liquidity(
    state: State, owner: Address, base_token: Address, where: Range, liquidity: int
) -> Provided:
    """Return what ``ClearingHouse.removeLiquidity`` does; 0 collects the fees alone.

    Raises:
        PoolRevertError: the market is paused (``CH_MP``), or the order holds less.
    """
    require_running(state)
    market = state.get_market(base_token)
    if market.status is Status.PAUSED:
        raise PoolRevertError("CH_MP", found=f"{market.symbol} is paused")
    state = settle_funding(state, owner, base_token)
    state, removed = _remove(state, owner, base_token, where, liquidity)
    return Provided(
        _book(state, owner, base_token, (removed,)), removed.base, removed.quote, removed.fee, liquidity
    )


def cancel_excess_orders(state: State, maker: Address, base_token: Address) -> State:
    """Return the state after anyone took back all orders of a maker who is short of margin.

    Mirror of ``ClearingHouse.cancelAllExcessOrders``.

    Raises:
        PoolRevertError: ``CH_NEXO``, the maker has enough.
    """
    require_running(state)
    state.get_market(base_token).require_open()
    account = state.get_account(maker)
    orders = account.get_position(base_token).orders
    if not orders:
        return state
    free = get_free_collateral(state, account, state.rules.maintenance_margin_pips)
    if free >= 0 and not is_liquidatable(state, account):
        raise PoolRevertError("CH_NEXO", found=f"{free / WAD:.6f} {state.settlement} of free collateral")
    state = settle_funding(state, maker, base_token)
    removed = []
    for order in orders:
        where = Range(order.tick_lower, order.tick_upper)
        state, one = _remove(state, maker, base_token, where, order.liquidity)
        removed.append(one)
    return _book(state, maker, base_token, tuple(removed))


def get_liquidity(sqrt_price_x96: int, where: Range, amounts: tuple[int, int]) -> int:
    """Return the most liquidity that base and quote give at a price. ``LiquidityAmounts``, rounded down."""
    lower, upper = (get_sqrt_price_at_tick(tick) for tick in where)
    base, quote = amounts
    price = min(max(sqrt_price_x96, lower), upper)
    of_base = mul_div_down(base, mul_div_down(price, upper, Q96), upper - price) if price < upper else None
    of_quote = mul_div_down(quote, Q96, price - lower) if price > lower else None
    liquidity = min(found for found in (of_base, of_quote) if found is not None)
    if liquidity > MAX_UINT128:
        raise PoolRevertError("", found=f"liquidity {liquidity}", needed="less than 2**128")
    return liquidity


class _Removed(NamedTuple):
    base: int
    quote: int
    fee: int
    taker_base: int
    taker_quote: int


def _amounts(market: Market, where: Range, liquidity: int, *, up: bool) -> tuple[int, int]:
    """Return base and quote of liquidity in a range, by the pool's tick as ``_modifyPosition`` does."""
    lower, upper = (get_sqrt_price_at_tick(tick) for tick in where)
    tick, price = market.curve.tick, market.curve.sqrt_price_x96
    price = lower if tick < where.tick_lower else upper if tick >= where.tick_upper else price
    amount0 = price_math.get_amount0_up if up else price_math.get_amount0_down
    amount1 = price_math.get_amount1_up if up else price_math.get_amount1_down
    return amount0(price, upper, liquidity), amount1(lower, price, liquidity)


def _with_ticks(market: Market, where: Range) -> Market:
    """Return the market with the range's ticks initialised. Mirror of ``Tick.initialize``."""
    outside = dict(market.outside)
    growth = market.growth
    reached = TickGrowth(
        market.fee_growth_x128, growth.tw_premium_x96, growth.tw_premium_div_by_sqrt_price_x96
    )
    for tick in where:
        if not market.curve.ticks.is_initialised(tick):
            outside[tick] = reached if tick <= market.curve.tick else TickGrowth(0, 0, 0)
        elif tick not in outside:
            raise InputError(
                f"the growth outside tick {tick} was not read", todo="Read the range's ticks too"
            )
    return replace(market, outside=outside)


def _grow(
    market: Market, position: Position, where: Range, liquidity: int, amounts: tuple[int, int]
) -> tuple[Order, int]:
    """Return the order with more in it, and the fees it had earned. ``OrderBook._addLiquidityToOrder``."""
    order = _find_order(position, where)
    if order is None:
        if len(position.orders) >= market.max_orders:
            raise PoolRevertError("OB_ONE", found=f"{len(position.orders)} orders", needed="fewer")
        growth = get_range_growth(market, *where, market.growth)
        order = Order(*where, 0, 0, growth, 0, 0)
    fee = order.get_pending_fee(market)
    base, quote = amounts
    grown = replace(
        order,
        liquidity=order.liquidity + liquidity,
        last_fee_growth_x128=get_fee_growth_inside_x128(market, *where),
        base_debt=order.base_debt + base,
        quote_debt=order.quote_debt + quote,
    )
    return grown, fee


def _find_order(position: Position, where: Range) -> Order | None:
    return next((o for o in position.orders if (o.tick_lower, o.tick_upper) == where), None)


def _remove(
    state: State, owner: Address, base_token: Address, where: Range, liquidity: int
) -> tuple[State, _Removed]:
    """Mirror of ``OrderBook._removeLiquidity`` and ``_removeLiquidityFromOrder``."""
    market, account = state.get_market(base_token), state.get_account(owner)
    position = account.get_position(base_token)
    order = _find_order(position, where)
    if order is None or liquidity > order.liquidity:
        held = order.liquidity if order else 0
        # the contract's reason follows from what others hold in the same range
        raise PoolRevertError("", found=f"{liquidity} of an order of {held}", needed="an order that holds it")
    base, quote = _amounts(market, where, liquidity, up=False)
    fee = order.get_pending_fee(market)
    base_debt = mul_div_down(order.base_debt, liquidity, order.liquidity)
    quote_debt = mul_div_down(order.quote_debt, liquidity, order.liquidity)
    left = replace(
        order,
        liquidity=order.liquidity - liquidity,
        last_fee_growth_x128=get_fee_growth_inside_x128(market, *where),
        base_debt=order.base_debt - base_debt,
        quote_debt=order.quote_debt - quote_debt,
    )
    kept = tuple(o if o is not order else left for o in position.orders if o is not order or left.liquidity)
    market = replace(market, curve=market.curve.with_liquidity(*where, -liquidity))
    cleared = {t: g for t, g in market.outside.items() if market.curve.ticks.is_initialised(t)}
    state = state.with_market(replace(market, outside=cleared))
    state = state.with_account(account.with_position(base_token, replace(position, orders=kept)))
    return state, _Removed(base, quote, fee, base - base_debt, quote - quote_debt)


def _book(state: State, owner: Address, base_token: Address, removed: tuple[_Removed, ...]) -> State:
    """Mirror of ``ClearingHouse._modifyPositionAndRealizePnl``, with the fees to the maker."""
    size, quote = sum(one.taker_base for one in removed), sum(one.taker_quote for one in removed)
    account = state.get_account(owner).with_pnl(sum(one.fee for one in removed))
    pnl = get_realised_pnl(account.get_position(base_token), size, quote) if size else 0
    return state.with_account(book_trade(account, base_token, size, quote, pnl))
