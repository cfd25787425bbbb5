"""What an account's own actions leave: mirrors of ``SupplyLogic``, ``BorrowLogic`` and ``EModeLogic``.

Each takes the account at the time of its block and raises PoolRevertError, with the pool's own code,
where the pool reverts. What the account holds outside the pool is not asked here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, assert_never

from onchain_exec.core import Address
from onchain_exec.venues.lending.aave_v3.isolation import (
    add_isolated_debt,
    get_isolated_collateral,
    reduce_isolated_debt,
)
from onchain_exec.venues.lending.aave_v3.ray_math import ray_div, ray_mul
from onchain_exec.venues.lending.aave_v3.refusal import Refusal, require
from onchain_exec.venues.lending.aave_v3.state import AaveState, Holding
from onchain_exec.venues.lending.aave_v3.validation import (
    may_become_collateral,
    validate_borrow,
    validate_emode,
    validate_health,
    validate_health_and_ltv,
    validate_open,
    validate_supply,
    validate_withdrawal,
)
from onchain_exec.venues.lending.actions import (
    ALL,
    Borrow,
    LendingAction,
    Repay,
    SetCollateral,
    SetEMode,
    Supply,
    Withdraw,
)

State = TypeVar("State", bound=AaveState)


def apply(state: State, action: LendingAction) -> State:
    """Return the account after ``action`` at its time.

    Raises:
        PoolRevertError: the pool would revert.
        InputError: a token that the account was read without.
    """
    match action:
        case Supply(token, amount):
            return _supply(state, token.address, amount)
        case Withdraw(token, amount):
            return _withdraw(state, token.address, amount)
        case Borrow(token, amount):
            return _borrow(state, token.address, amount)
        case Repay(token, amount):
            return _repay(state, token.address, amount)
        case SetCollateral(token, enabled):
            return _set_collateral(state, token.address, enabled=enabled)
        case SetEMode(mode):
            return _set_emode(state, mode)
        case never:
            assert_never(never)


def _supply(state: State, token: Address, amount: int) -> State:
    """Mirror of ``executeSupply``."""
    before = state.get_holding(token)
    reserve, position = before.reserve.accrue(state.at), before.position
    validate_supply(reserve, amount)
    reserve = reserve.refresh_rates(added=amount)
    scaled = _scale(amount, reserve.liquidity_index_ray, Refusal.INVALID_MINT_AMOUNT)
    is_collateral = position.is_collateral
    if not position.supplied_scaled and not reserve.config.debt_ceiling:
        is_collateral = is_collateral or may_become_collateral(state, reserve.config)
    return state.put(
        token,
        Holding(
            replace(
                reserve,
                supplied_scaled=reserve.supplied_scaled + scaled,
                liquidity=reserve.liquidity + amount,
            ),
            replace(position, supplied_scaled=position.supplied_scaled + scaled, is_collateral=is_collateral),
        ),
    )


def _withdraw(state: State, token: Address, amount: int) -> State:
    """Mirror of ``executeWithdraw``."""
    before = state.get_holding(token)
    reserve, position = before.reserve.accrue(state.at), before.position
    supplied = ray_mul(position.supplied_scaled, reserve.liquidity_index_ray)
    amount = min(amount, supplied) if amount == ALL else amount
    validate_withdrawal(reserve, amount, supplied)
    reserve = reserve.refresh_rates(taken=amount)
    scaled = _scale(amount, reserve.liquidity_index_ray, Refusal.INVALID_BURN_AMOUNT)
    require(scaled <= position.supplied_scaled, Refusal.UNDERFLOW, "more aTokens than there are")
    require(
        amount <= reserve.liquidity, Refusal.UNDERFLOW, f"{reserve.liquidity} in the reserve", f"{amount}"
    )
    after = state.put(
        token,
        Holding(
            replace(
                reserve,
                supplied_scaled=reserve.supplied_scaled - scaled,
                liquidity=reserve.liquidity - amount,
            ),
            replace(
                position,
                supplied_scaled=position.supplied_scaled - scaled,
                is_collateral=position.is_collateral and amount != supplied,
            ),
        ),
    )
    if position.is_collateral and any(held.position.is_borrowing for held in after.holdings.values()):
        validate_health_and_ltv(after, reserve.config)
    return after


def _borrow(state: State, token: Address, amount: int) -> State:
    """Mirror of ``executeBorrow`` at the variable rate."""
    before = state.get_holding(token)
    reserve, position = before.reserve.accrue(state.at), before.position
    isolated = get_isolated_collateral(state)
    validate_borrow(state, reserve, amount, isolated)
    scaled = _scale(amount, reserve.borrow_index_ray, Refusal.INVALID_MINT_AMOUNT)
    reserve = replace(reserve, borrowed_scaled=reserve.borrowed_scaled + scaled).refresh_rates(taken=amount)
    after = state.put(
        token,
        Holding(
            replace(reserve, liquidity=reserve.liquidity - amount),
            replace(position, borrowed_scaled=position.borrowed_scaled + scaled, is_borrowing=True),
        ),
    )
    return after if isolated is None else add_isolated_debt(after, isolated, reserve, amount)


def _repay(state: State, token: Address, amount: int) -> State:
    """Mirror of ``executeRepay`` at the variable rate."""
    before = state.get_holding(token)
    reserve = before.reserve.accrue(state.at)
    require(amount > 0, Refusal.INVALID_AMOUNT, "nothing to repay")
    validate_open(reserve)
    debt = ray_mul(before.position.borrowed_scaled, reserve.borrow_index_ray)
    require(debt > 0, Refusal.NO_DEBT_OF_SELECTED_TYPE, f"no variable debt of {reserve.token}")
    paid = min(amount, debt)
    after = burn_debt(state, token, paid)
    held = after.get_holding(token)
    refreshed = held.reserve.refresh_rates(added=paid)
    after = after.put(token, replace(held, reserve=replace(refreshed, liquidity=refreshed.liquidity + paid)))
    return reduce_isolated_debt(after, reserve, paid)


def burn_debt(state: State, token: Address, amount: int) -> State:
    """Return the account with so much less variable debt, flags included; nothing is paid in yet.

    Mirror of ``VariableDebtToken.burn`` and ``setBorrowing``.
    """
    before = state.get_holding(token)
    reserve, position = before.reserve.accrue(state.at), before.position
    scaled = _scale(amount, reserve.borrow_index_ray, Refusal.INVALID_BURN_AMOUNT)
    owed = before.get_debt(state.at)
    require(scaled <= position.borrowed_scaled, Refusal.UNDERFLOW, "more debt than there is")
    return state.put(
        token,
        Holding(
            replace(reserve, borrowed_scaled=reserve.borrowed_scaled - scaled),
            replace(
                position,
                borrowed_scaled=position.borrowed_scaled - scaled,
                is_borrowing=position.is_borrowing and owed != amount,
            ),
        ),
    )


def _set_collateral(state: State, token: Address, *, enabled: bool) -> State:
    """Mirror of ``executeUseReserveAsCollateral``."""
    holding = state.get_holding(token)
    config = holding.reserve.config
    require(
        holding.get_supplied(state.at) > 0, Refusal.UNDERLYING_BALANCE_ZERO, f"no {holding.reserve.token}"
    )
    validate_open(holding.reserve)
    if enabled == holding.position.is_collateral:
        return state
    after = state.put(token, replace(holding, position=replace(holding.position, is_collateral=enabled)))
    if not enabled:
        validate_health_and_ltv(after, config)
    elif not may_become_collateral(state, config):
        raise Refusal.USER_IN_ISOLATION_MODE_OR_LTV_ZERO.raised(
            f"{holding.reserve.token} cannot be collateral beside the account's others"
        )
    return after


def _set_emode(state: State, mode: int) -> State:
    """Mirror of ``executeSetUserEMode``."""
    validate_emode(state, mode)
    after = replace(state, emode=mode)
    if state.emode:
        validate_health(after)
    return after


def _scale(amount: int, index_ray: int, refusal: Refusal) -> int:
    scaled = ray_div(amount, index_ray)
    require(scaled > 0, refusal, f"{amount} base units are less than the index counts", "a larger amount")
    return scaled
