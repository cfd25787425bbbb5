"""Opening a position, adding to it, and bringing collateral. Mirror of ``IncreasePositionUtils``."""

from __future__ import annotations

from dataclasses import replace

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import div_up
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.gmx_v2.mirror.execution import (
    Executed,
    require_acceptable,
    require_executable,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.market import Cell, Market
from onchain_exec.venues.perpetuals.gmx_v2.mirror.position import (
    Change,
    Seat,
    get_needed_collateral,
    require_solvent,
    take_accrued_seat,
    take_seat,
)
from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import FLOAT, apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.pricing import Impact
from onchain_exec.venues.perpetuals.gmx_v2.mirror.state import Holding, State
from onchain_exec.venues.perpetuals.gmx_v2.orders import GmxOrder


def increase(state: State, owner: Address, order: GmxOrder) -> Executed:
    """Return what a keeper's execution of an order that increases does, now and at the state's prices.

    Raises:
        PoolRevertError: the contract's error: a market order is cancelled then, another one frozen.
        InputError: an order with a path of swaps, or with an interface's fee.
    """
    require_executable(state, order)
    seat = take_accrued_seat(state, owner, order.position)
    seat.market.require_collateral(order.position.collateral_token)
    if not seat.holding.size:
        seat = replace(seat, holding=seat.charged())
    tokens, impact = _get_tokens(seat, order.size_delta_usd)
    impact_tokens = _to_tokens(seat, impact.usd)
    price = _get_price(seat, order, tokens + (impact_tokens if seat.position.is_long else -impact_tokens))
    fees = seat.get_fees(Change(order.size_delta_usd, impact.improves))
    added = order.collateral_amount - fees.total
    market = _book(seat, order.size_delta_usd, added, fees.for_pool, impact_tokens)
    holding = _grow(seat, order.size_delta_usd, tokens, added, impact_tokens, state.at)
    state = state.with_interest(market, seat.cell, order.size_delta_usd, tokens)
    state = state.with_holding(owner, order.position, holding)
    grown = take_seat(state, state.get_market(market.address), owner, order.position, holding)
    if order.size_delta_usd:
        _require_backed(grown)
    require_solvent(grown, checks_least=True, liquidates=not order.size_delta_usd)
    return Executed(order.size_delta_usd, tokens, price, impact.usd, 0, fees, 0, 0, state)


def update_total_borrowing(market: Market, cell: Cell, before: Holding, size: int) -> Market:
    """Return the market after a position's part in what is borrowed changed. ``getNextTotalBorrowing``."""
    total = market.total_borrowing.of(cell.is_long) - apply_factor(before.size, before.borrowing)
    total += apply_factor(size, market.borrowing.of(cell.is_long))
    return replace(market, total_borrowing=market.total_borrowing.having(cell.is_long, total))


def _get_tokens(seat: Seat, size: int) -> tuple[int, Impact]:
    """Return what a size is in the index token, in the pool's favour, and its impact."""
    if not size:
        return 0, Impact(0, False)
    index = seat.prices.index
    tokens = size // index.most if seat.position.is_long else div_up(size, index.least)
    return tokens, seat.get_impact(size, tokens)


def _to_tokens(seat: Seat, impact: int) -> int:
    """Return an impact in the index token, in the pool's favour."""
    if impact > 0:
        return impact // seat.prices.index.most
    return -div_up(-impact, seat.prices.index.least)


def _get_price(seat: Seat, order: GmxOrder, tokens: int) -> int:
    """Mirror of ``BaseOrderUtils.getExecutionPriceForIncrease``."""
    is_long = seat.position.is_long
    if not order.size_delta_usd:
        return seat.prices.index.pick(is_long)
    if tokens < 0:
        raise PoolRevertError("PriceImpactLargerThanOrderSize", found=f"{tokens} of the index token")
    if not tokens:
        raise PoolRevertError("EmptySizeDeltaInTokens", found=f"a size of {order.size_delta_usd}")
    price = order.size_delta_usd // tokens
    require_acceptable(order, price, buys=is_long)
    return price


def _grow(seat: Seat, size: int, tokens: int, added: int, impact_tokens: int, at: int) -> Holding:
    held = seat.holding
    if held.collateral + added < 0:
        raise PoolRevertError(
            "InsufficientCollateralAmount", found=f"{held.collateral} of collateral", needed=f"{-added}"
        )
    return replace(
        seat.charged(),
        size=held.size + size,
        tokens=held.tokens + tokens,
        collateral=held.collateral + added,
        pending_impact=held.pending_impact + impact_tokens,
        borrowing=seat.market.borrowing.of(seat.position.is_long),
        increased_at=at,
    )


def _book(seat: Seat, size: int, added: int, for_pool: int, impact_tokens: int) -> Market:
    """Return the market with the position's collateral, fees, impact and part in borrowing."""
    market = seat.market.with_collateral(seat.cell, added).with_pool(seat.cell.token, for_pool)
    market = replace(market, pending_impact=market.pending_impact + impact_tokens)
    return update_total_borrowing(market, seat.cell, seat.holding, seat.holding.size + size)


def _require_backed(seat: Seat) -> None:
    """Refuse what the pool could not pay, or too little collateral for the size."""
    is_long = seat.position.is_long
    seat.market.require_reserve(is_long, seat.prices)
    seat.market.require_open_interest_reserve(is_long, seat.prices)
    found = seat.holding.collateral * seat.collateral_price.least
    needed = get_needed_collateral(seat.market, is_long, seat.holding.size, 0)
    if found < needed:
        raise PoolRevertError(
            "InsufficientCollateralUsd",
            found=f"{found / FLOAT:.2f} USD of collateral",
            needed=f"{needed / FLOAT:.2f} USD",
        )
