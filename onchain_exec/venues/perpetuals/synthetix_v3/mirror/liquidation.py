"""Liquidation of an account, as much of it as may be taken at once. Mirror of ``LiquidationModule``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onchain_exec.core import Address
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.decimals import mul_d
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.margin import (
    NOTHING,
    get_available_margin,
    get_liquidation_reward,
    is_liquidatable,
)
from onchain_exec.venues.perpetuals.synthetix_v3.mirror.state import Account, Position, State


@dataclass(frozen=True, slots=True)
class Liquidation:
    """What a liquidation took over in all markets, what the keeper gets, and the state after."""

    amount: int
    reward: int
    state: State


def liquidate(state: State, liquidator: Address, account_id: int) -> Liquidation:
    """Return what ``liquidate`` does: flags the account, takes its collateral, closes what may be closed.

    An account that is flagged already goes on from there. Other collateral than snxUSD goes to distributors,
    and what it was worth is taken from the pool, to a unit of rounding.

    Raises:
        PoolRevertError: ``NotEligibleForLiquidation``.
    """
    state.require_open()
    account = state.get_account(account_id)
    if account.is_flagged:
        return _close(state, liquidator, account, _Flag(False, 0, state.keeper_costs.liquidate))
    if not is_liquidatable(state, account):
        raise PoolRevertError("NotEligibleForLiquidation", found=f"account {account_id} has margin enough")
    return _flag(state, liquidator, account)


def liquidate_margin(state: State, liquidator: Address, account_id: int) -> Liquidation:
    """Return what ``liquidateMarginOnly`` does to an account that has debt and no positions any more.

    Raises:
        PoolRevertError: ``AccountHasOpenPositions``, ``NotEligibleForMarginLiquidation``.
    """
    state.require_open()
    account = state.get_account(account_id)
    if account.positions:
        raise PoolRevertError("AccountHasOpenPositions", found=f"{len(account.positions)} open positions")
    reward = get_liquidation_reward(state, account, NOTHING)
    if not account.debt or get_available_margin(state, account) >= reward:
        raise PoolRevertError(
            "NotEligibleForMarginLiquidation", found=f"account {account_id} has collateral for its debt"
        )
    return _flag(state, liquidator, account)


@dataclass(frozen=True, slots=True)
class _Flag:
    """Whether the account is flagged just now, what was seized, and what the keeper's gas costs."""

    is_new: bool
    seized: int
    cost: int


def _flag(state: State, liquidator: Address, account: Account) -> Liquidation:
    """Take all collateral, forget debt and order, and close positions. Mirror of ``flagForLiquidation``."""
    cost = state.keeper_costs.get_flag(account.others + len(account.positions))
    bare = replace(account, usd=0, debt=0, others=0, others_value=0, others_discounted=0)
    flagged = replace(bare, order=None, is_flagged=True)
    pool = replace(state.pool, collateral=state.pool.collateral - account.others_value)
    state = replace(state, pool=pool).with_account(flagged).with_cash(-account.others_value)
    return _close(state, liquidator, flagged, _Flag(True, account.value, cost + state.keeper_costs.liquidate))


def _close(state: State, liquidator: Address, account: Account, flag: _Flag) -> Liquidation:
    """Mirror of ``_liquidateAccount``."""
    amount, rewards, endorsed = 0, 0, False
    for market_id, position in account.positions.items():
        market = state.get_market(market_id)
        endorsed = liquidator == market.rules.endorsed_liquidator
        if not endorsed:
            rewards += mul_d(mul_d(abs(position.size), market.price), market.rules.flag_reward)
        state, taken = _close_position(state, liquidator, account.id, market_id)
        amount += taken
    if not endorsed:
        rewards = max(rewards, mul_d(flag.seized, state.liquidation_reward))
    if not flag.is_new and not amount:
        return Liquidation(0, 0, state)
    rewards = rewards if flag.is_new else 0
    reward = state.keeper_rules.get_reward(rewards, flag.cost, flag.seized) if rewards + flag.cost else 0
    left = state.get_account(account.id)
    if not left.positions:
        state = state.with_account(replace(left, is_flagged=False))
    return Liquidation(amount, reward, state.with_cash(-reward))


def _close_position(state: State, liquidator: Address, account_id: int, market_id: int) -> tuple[State, int]:
    """Mirror of ``liquidatePosition``."""
    market = state.get_market(market_id)
    market = market.funded(market.price, state.at)
    account = state.get_account(account_id)
    position = account.positions[market_id]
    amount = market.get_liquidatable(abs(position.size), liquidator, state.at)
    if not amount:
        return state.with_market(market), 0
    after = position.size - amount if position.size > 0 else position.size + amount
    market = market.with_liquidated(amount, liquidator, state.at).changed(position.size, after)
    state = state.with_market(market).with_interest()
    left = Position(after, market.price, market.funding_value, state.interest.accrued)
    return state.with_account(account.with_position(market_id, left)), amount
