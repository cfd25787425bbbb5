"""Making a position smaller, closing and liquidating it, and taking collateral. ``DecreasePositionUtils``."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import div_trunc
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.execution import (
    Executed,
    require_acceptable,
    require_executable,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.increase import update_total_borrowing
from onchain_exec.venues.perpetuals.gmx_v2.mirror.payout import Payout, Purse, settle
from onchain_exec.venues.perpetuals.gmx_v2.mirror.position import (
    Cut,
    Seat,
    get_needed_collateral,
    get_solvency,
    require_solvent,
    take_accrued_seat,
    take_seat,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import Holding, State
from onchain_exec.venues.perpetuals.gmx_v2.mirror.swap import swap
from onchain_exec.venues.perpetuals.gmx_v2.orders import DecreaseSwap, GmxOrder, OrderType, Position


def decrease(state: State, owner: Address, order: GmxOrder) -> Executed:
    """Return what a keeper's execution of an order that decreases does, now and at the state's prices.

    Raises:
        PoolRevertError: the contract's error: a market order is cancelled then, another one frozen.
        InputError: an order with a path of swaps, or with an interface's fee.
    """
    require_executable(state, order)
    seat = _take_open(state, owner, order.position)
    size, collateral = _get_part(seat, order)
    cut = seat.cut(size)
    price = _get_price(seat, cut)
    if size:
        require_acceptable(order, price, buys=not order.position.is_long)
    swaps_profit = order.decrease_swap is DecreaseSwap.PROFIT_TO_COLLATERAL
    payout = settle(seat, cut, liquidates=False, swaps_profit=swaps_profit)
    done = _book(state, owner, seat, _Settled(cut, collateral, payout, price))
    if order.decrease_swap is DecreaseSwap.COLLATERAL_TO_PROFIT:
        done = _swap_output(seat, done)
    _require_output(seat, done, order.terms.minimum_output)
    return done


def liquidate(state: State, owner: Address, position: Position) -> Executed:
    """Return what the liquidation of a position does, now and at the state's prices.

    Raises:
        PoolRevertError: ``PositionShouldNotBeLiquidated``, or there is none.
    """
    state.get_open_market(position.market)
    seat = _take_open(state, owner, position)
    found = get_solvency(seat)
    if not found.reason:
        raise PoolRevertError(
            "PositionShouldNotBeLiquidated",
            found=f"{found.remaining / FLOAT:.2f} USD of collateral left",
            needed=f"less than {found.needed / FLOAT:.2f} USD",
        )
    cut = seat.cut(seat.holding.size)
    price = _get_price(seat, cut)
    payout = settle(seat, cut, liquidates=True, swaps_profit=True)
    return _book(state, owner, seat, _Settled(cut, 0, payout, price))


class _Part(NamedTuple):
    """Dollars of size and base units of collateral that a decrease takes."""

    size: int
    collateral: int


class _Settled(NamedTuple):
    """A cut, the collateral wanted with it, what was paid, and the execution price."""

    cut: Cut
    wanted: int
    payout: Payout
    price: int


def _take_open(state: State, owner: Address, position: Position) -> Seat:
    seat = take_accrued_seat(state, owner, position)
    if not seat.holding.size:
        raise PoolRevertError("EmptyPosition", found=f"no such position of {owner}", needed="an open one")
    return seat


def _get_part(seat: Seat, order: GmxOrder) -> _Part:
    """Return what is really taken: all of a position that would be too small or too poor after it."""
    held, size = seat.holding, order.size_delta_usd
    if size > held.size:
        if order.kind is OrderType.MARKET_DECREASE:
            raise PoolRevertError(
                "InvalidDecreaseOrderSize",
                found=f"{size / FLOAT:.2f} USD of a position of {held.size / FLOAT:.2f} USD",
            )
        size = held.size
    collateral = min(order.collateral_amount, held.collateral)
    if size < held.size:
        size, collateral = _leave_enough(seat, size, collateral)
    return _Part(size, 0 if size == held.size else collateral)


def _leave_enough(seat: Seat, size: int, collateral: int) -> _Part:
    """Return a part of the position that may be taken: first no collateral, then the whole position."""
    held, is_long, price = seat.holding, seat.position.is_long, seat.collateral_price.least
    pnl = seat.get_pnl(held.size)
    realised = div_trunc(pnl * size, held.size)
    left = (held.collateral - collateral) * price + min(0, realised)
    needed = get_needed_collateral(seat.market, is_long, held.size - size, -size) if left >= 0 else 1
    least = seat.rules.min_collateral_usd
    if left < needed or left + pnl - realised < least:
        if not size:
            raise PoolRevertError(
                "UnableToWithdrawCollateral",
                found=f"{left / FLOAT:.2f} USD of collateral would be left",
                needed=f"{max(needed, least) / FLOAT:.2f} USD",
            )
        left, collateral = left + collateral * price, 0
    if left + pnl - realised < least or held.size - size < seat.rules.min_position_usd:
        size = held.size
    return _Part(size, collateral)


def _get_price(seat: Seat, cut: Cut) -> int:
    """Mirror of ``BaseOrderUtils.getExecutionPriceForDecrease``."""
    is_long, held, impact = seat.position.is_long, seat.holding, cut.impact.usd
    price = seat.prices.index.pick(not is_long)
    if not cut.size:
        return price
    adjusted = impact if is_long else -impact
    if -adjusted > cut.size:
        raise PoolRevertError("PriceImpactLargerThanOrderSize", found=f"{adjusted / FLOAT:.2f} USD of impact")
    price += div_trunc(div_trunc(held.size * adjusted, held.tokens), cut.size)
    if price < 0:
        raise PoolRevertError("NegativeExecutionPrice", found=f"{price}")
    return price


def _book(state: State, owner: Address, seat: Seat, settled: _Settled) -> Executed:
    """Return the state with the position smaller, and its market as the payout left it."""
    (size, tokens, impact), payout, held = settled.cut, settled.payout, seat.holding
    taken = _take_collateral(seat, payout, settled.wanted)
    market = update_total_borrowing(payout.market, seat.cell, held, held.size - size)
    market = replace(market, pending_impact=market.pending_impact - payout.pending_impact)
    holding = _shrink(seat, settled, taken.collateral, state.at)
    market = market.with_collateral(seat.cell, holding.collateral - held.collateral)
    state = state.with_interest(market, seat.cell, -size, -tokens)
    state = state.with_holding(owner, seat.position, holding)
    if holding.size:
        after = state.get_market(market.address)
        left = take_seat(state, after, owner, seat.position, holding)
        require_solvent(left, checks_least=False, liquidates=False)
    return Executed(
        size=-size,
        tokens=-tokens,
        price=settled.price,
        impact=impact.usd,
        pnl=payout.pnl,
        fees=payout.fees,
        output=taken.output + (0 if holding.size else taken.collateral),
        profit_output=taken.profit,
        state=state,
    )


def _take_collateral(seat: Seat, payout: Payout, wanted: int) -> Purse:
    """Return the purse with collateral paid out: less where more impact was kept than its limit."""
    if wanted and payout.refundable:
        wanted = max(0, wanted - payout.refundable // seat.collateral_price.least)
    taken = min(wanted, payout.purse.collateral)
    output, collateral, profit = payout.purse
    return Purse(output + taken, collateral - taken, profit)


def _shrink(seat: Seat, settled: _Settled, collateral: int, at: int) -> Holding:
    held, (size, tokens, _), payout = seat.holding, settled.cut, settled.payout
    if held.size == size or held.tokens == tokens:
        return Holding()
    return replace(
        seat.charged(),
        size=held.size - size,
        tokens=held.tokens - tokens,
        collateral=collateral,
        pending_impact=held.pending_impact - payout.pending_impact,
        borrowing=seat.market.borrowing.of(seat.position.is_long),
        decreased_at=at,
    )


def _swap_output(seat: Seat, done: Executed) -> Executed:
    """Swap what is paid out of the collateral to the profit's token, if that is another one and it works.

    Mirror of ``swapWithdrawnCollateralToPnlToken``.
    """
    position = seat.position
    market = done.state.get_market(position.market)
    if not done.output or market.get_pnl_token(position.is_long) == position.collateral_token:
        return done
    try:
        swapped = swap(
            market, seat.prices, position.collateral_token, done.output, seat.rules.swap_fee_receiver
        )
    except PoolRevertError:
        return done
    return replace(
        done,
        output=0,
        profit_output=done.profit_output + swapped.amount_out,
        state=done.state.with_market(swapped.market),
    )


def _require_output(seat: Seat, done: Executed, minimum: int) -> None:
    """Refuse to pay less dollars than the order wants. Mirror of ``_validateOutputAmount``."""
    market, prices = seat.market, seat.prices
    profit_price = market.get_price(market.get_pnl_token(seat.position.is_long), prices).least
    found = done.output * seat.collateral_price.least + done.profit_output * profit_price
    if found < minimum:
        raise PoolRevertError(
            "InsufficientOutputAmount",
            found=f"{found / FLOAT:.2f} USD",
            needed=f"{minimum / FLOAT:.2f} USD",
        )
