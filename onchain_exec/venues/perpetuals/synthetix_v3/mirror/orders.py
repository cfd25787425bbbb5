"""An order's two phases, and collateral in and out. Mirror of ``AsyncOrder`` and the modules around it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError, PoolRevertError
from onchain_exec.venues.perpetuals.decimals import mul_d
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.margin import (
    get_available_margin,
    get_margins_with,
    get_pnl,
    get_withdrawable,
    is_liquidatable,
)
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.market import Market, is_reducing
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import Account, Order, Pool, Position, State


@dataclass(frozen=True, slots=True)
class Settled:
    """An order settled: the price, the fee with the keeper's reward in it, what the position gained until
    then, and the state after."""

    size: int
    fill_price: int
    fee: int
    gained: int
    state: State


def commit(state: State, account_id: int, market_id: int, size: int, acceptable_price: int) -> State:
    """Return the state after ``commitOrder``; an order that expired is replaced.

    Raises:
        PoolRevertError: the contract's error, of the order or of the account's margin.
    """
    state.require_open()
    account, market = state.get_account(account_id), state.get_market(market_id)
    require_not_flagged(account)
    if market.strategy.is_disabled:
        raise PoolRevertError("InvalidSettlementStrategy", found=f"strategy {market.strategy_id} is disabled")
    require_no_order(state, account)
    if market_id not in account.positions and state.max_positions <= len(account.positions):
        raise PoolRevertError(
            "MaxPositionsPerAccountReached",
            found=f"{len(account.positions)} positions",
            needed=f"{state.max_positions} at most",
        )
    order = Order(market_id, size, market.strategy_id, acceptable_price, state.at)
    funded, _ = _validate(state, account, order, market.price)
    return funded.with_account(replace(account, order=order))


def settle(state: State, account_id: int, price: int) -> Settled:
    """Return what ``settleOrder`` does at the price that the strategy's oracle had for the order.

    Raises:
        PoolRevertError: ``SettlementWindowNotOpen``, ``SettlementWindowExpired``,
            ``AcceptablePriceExceeded``, or as `commit`.
    """
    state.require_open()
    account = state.get_account(account_id)
    order = _require_order(state, account)
    require_not_flagged(account)
    state, (fill_price, fee) = _validate(state, account, order, price)
    _require_acceptable(order, fill_price)
    market = state.get_market(order.market)
    held = account.positions.get(market.id, Position(0, 0, 0, 0))
    gained = get_pnl(state, market, held, fill_price).total if held.size else 0
    state = state.with_account(account.charged(gained - fee))
    after = held.size + order.size
    state = state.with_market(market.changed(held.size, after)).with_interest()
    position = Position(after, fill_price, market.funding_value, state.interest.accrued)
    account = replace(state.get_account(account_id).with_position(market.id, position), order=None)
    reward = get_settlement_reward(state, market)
    return Settled(order.size, fill_price, fee, gained, state.with_account(account).with_cash(-reward))


def cancel(state: State, account_id: int, price: int) -> State:
    """Return the state after ``cancelOrder``, which anybody may call where the order cannot be settled.

    Raises:
        PoolRevertError: ``AcceptablePriceNotExceeded``, or the settlement window is not open.
    """
    state.require_open()
    account = state.get_account(account_id)
    order = _require_order(state, account)
    require_not_flagged(account)
    market = state.get_market(order.market)
    fill_price = market.get_fill_price(order.size, price)
    before = _get_size(account, market)
    after = before + order.size
    credit = market.rules.get_credit(abs(after) - abs(before), market.price)
    is_backed = state.pool.delegated >= state.locked_credit + credit
    if (is_backed or is_reducing(before, after)) and not _is_exceeded(order, fill_price):
        raise PoolRevertError(
            "AcceptablePriceNotExceeded",
            found=f"a fill price of {fill_price / WAD:g}",
            needed=f"one beyond {order.acceptable_price / WAD:g}",
        )
    reward = market.strategy.reward
    charged = account.charged(-reward) if reward else account
    return state.with_account(replace(charged, order=None)).with_cash(-reward)


def modify_collateral(state: State, account_id: int, amount: int) -> State:
    """Return the state after ``modifyCollateral`` of snxUSD, taken out below 0.

    Raises:
        PoolRevertError: ``InvalidAmountDelta``, ``MaxCollateralExceeded``, ``InsufficientCollateral``,
            ``MaxCollateralsPerAccountReached``, ``PendingOrderExists``, ``AccountLiquidatable``,
            ``InsufficientSynthCollateral``, ``InsufficientCollateralAvailableForWithdraw``.
    """
    state.require_open()
    account = state.get_account(account_id)
    if not amount:
        raise PoolRevertError("InvalidAmountDelta", found="no amount")
    _require_collateral_limits(state.pool, amount)
    require_not_flagged(account)
    kinds = account.others + (account.usd > 0)
    if not account.usd and state.max_collaterals <= kinds:
        raise PoolRevertError(
            "MaxCollateralsPerAccountReached",
            found=f"{kinds} kinds of collateral",
            needed=f"{state.max_collaterals} at most",
        )
    require_no_order(state, account)
    if amount < 0:
        _require_withdrawable(state, account, -amount)
    return state.with_account(replace(account, usd=account.usd + amount)).with_cash(amount)


def pay_debt(state: State, account_id: int, amount: int) -> State:
    """Return the state after ``payDebt`` in snxUSD; what is more than the debt is not taken.

    Raises:
        PoolRevertError: ``PendingOrderExists``, ``NonexistentDebt``.
    """
    state.require_open()
    account = state.get_account(account_id)
    require_no_order(state, account)
    if not account.debt:
        raise PoolRevertError("NonexistentDebt", found=f"account {account_id} has no debt")
    paid = min(account.debt, amount)
    return state.with_account(replace(account, debt=account.debt - paid)).with_cash(paid).with_interest()


def get_settlement_reward(state: State, market: Market) -> int:
    """Return what a keeper gets for settling an order. Mirror of ``settlementRewardCost``."""
    return state.keeper_costs.settle + market.strategy.reward


def require_not_flagged(account: Account) -> None:
    """Refuse an account that is being liquidated. Raises PoolRevertError."""
    if account.is_flagged:
        raise PoolRevertError("AccountLiquidatable", found=f"account {account.id} is being liquidated")


def require_no_order(state: State, account: Account) -> None:
    """Refuse an account whose order may still be settled. Raises PoolRevertError."""
    if account.order is None:
        return
    expires_at = sum(get_window(state, account.order))
    if state.at <= expires_at:
        raise PoolRevertError(
            "PendingOrderExists",
            found=f"an order of {account.order.size / WAD:g} that may be settled until {expires_at}",
            todo="Wait until it is settled or expires",
        )


def _require_order(state: State, account: Account) -> Order:
    order = account.order
    if order is None:
        raise PoolRevertError("OrderNotValid", found=f"no order of account {account.id}")
    opens_at, window_s = get_window(state, order)
    if state.at < opens_at:
        raise PoolRevertError(
            "SettlementWindowNotOpen", found=f"at {state.at}", needed=f"{opens_at} or later"
        )
    if state.at > opens_at + window_s:
        raise PoolRevertError(
            "SettlementWindowExpired", found=f"at {state.at}", needed=f"{opens_at + window_s} or earlier"
        )
    return order


def get_window(state: State, order: Order) -> tuple[int, int]:
    """Return from when an order may be settled, and for how many seconds.

    Raises:
        InputError: its market was read with another strategy.
    """
    market = state.get_market(order.market)
    if order.strategy_id != market.strategy_id:
        raise InputError(
            f"an order of strategy {order.strategy_id}",
            needed=f"one of strategy {market.strategy_id}, which the market was read with",
        )
    return order.committed_at + market.strategy.delay_s, market.strategy.window_s


def _validate(state: State, account: Account, order: Order, price: int) -> tuple[State, tuple[int, int]]:
    """Return the state with funding recorded, the fill price and the fee. Mirror of ``validateRequest``."""
    if not order.size:
        raise PoolRevertError("ZeroSizeOrder", found="an order of no size")
    margin = get_available_margin(state, account)
    if is_liquidatable(state, account):
        raise PoolRevertError("AccountLiquidatable", found=f"a margin of {margin / WAD:.2f} USD")
    market = state.get_market(order.market).funded(price, state.at)
    state = state.with_market(market)
    fill_price = market.get_fill_price(order.size, price)
    fee = market.get_fee(order.size, fill_price) + get_settlement_reward(state, market)
    margin += min(0, mul_d(order.size, price - fill_price))
    _require_margin(margin, fee)
    before = _get_size(account, market)
    after = before + order.size
    market.require_room(before, after, price)
    if is_reducing(before, after):
        return state, (fill_price, fee)
    _require_margin(margin, get_margins_with(state, account, market, after, fill_price) + fee)
    if after and (abs(after) > abs(before) or (after > 0) != (before > 0)):
        state.require_credit(market.rules.get_credit(abs(after) - abs(before), market.price))
    return state, (fill_price, fee)


def _get_size(account: Account, market: Market) -> int:
    held = account.positions.get(market.id)
    return held.size if held else 0


def _require_margin(margin: int, needed: int) -> None:
    if margin < needed:
        raise PoolRevertError(
            "InsufficientMargin",
            found=f"a margin of {margin / WAD:.2f} USD",
            needed=f"{needed / WAD:.2f} USD, fees included",
            todo="Deposit more, or trade less",
        )


def _require_acceptable(order: Order, fill_price: int) -> None:
    if _is_exceeded(order, fill_price):
        raise PoolRevertError(
            "AcceptablePriceExceeded",
            found=f"a fill price of {fill_price / WAD:g}",
            needed=f"{order.acceptable_price / WAD:g} or better",
        )


def _is_exceeded(order: Order, fill_price: int) -> bool:
    if order.size > 0:
        return fill_price > order.acceptable_price
    return fill_price < order.acceptable_price


def _require_collateral_limits(pool: Pool, amount: int) -> None:
    """Mirror of ``validateCollateralAmount``."""
    after = pool.usd + amount
    if after < 0:
        raise PoolRevertError("InsufficientCollateral", found=f"{pool.usd / WAD:.2f} snxUSD in all accounts")
    if amount > 0 and not pool.max_usd:
        raise PoolRevertError("SynthNotEnabledForCollateral", found="snxUSD is not taken as collateral")
    if amount > 0 and after > pool.max_usd:
        raise PoolRevertError(
            "MaxCollateralExceeded",
            found=f"{after / WAD:.2f} snxUSD in all accounts",
            needed=f"{pool.max_usd / WAD:.2f} at most",
        )


def _require_withdrawable(state: State, account: Account, amount: int) -> None:
    if account.usd < amount:
        raise PoolRevertError(
            "InsufficientSynthCollateral",
            found=f"{account.usd / WAD:.2f} snxUSD",
            needed=f"{amount / WAD:.2f}",
        )
    free = get_withdrawable(state, account)
    if free < 0:
        raise PoolRevertError("AccountLiquidatable", found=f"{free / WAD:.2f} USD of free margin")
    if amount > free:
        raise PoolRevertError(
            "InsufficientCollateralAvailableForWithdraw",
            found=f"{free / WAD:.2f} USD of free margin",
            needed=f"{amount / WAD:.2f} USD",
        )
