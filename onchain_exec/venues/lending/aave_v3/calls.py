"""An account's actions as calls of the pool."""

from __future__ import annotations

from typing import Final, assert_never

from onchain_exec.core import Token
from onchain_exec.core.abi import Function
from onchain_exec.core.action import Spend, VenueCall
from onchain_exec.venues.lending.aave_v3.state import AaveState
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

_SUPPLY: Final = Function("supply(address,uint256,address,uint16)")
_WITHDRAW: Final = Function("withdraw(address,uint256,address)", "(uint256)")
_BORROW: Final = Function("borrow(address,uint256,uint256,uint16,address)")
_REPAY: Final = Function("repay(address,uint256,uint256,address)", "(uint256)")
_SET_COLLATERAL: Final = Function("setUserUseReserveAsCollateral(address,bool)")
_SET_EMODE: Final = Function("setUserEMode(uint8)")
_VARIABLE_RATE: Final = 2
_REFERRAL: Final = 0
_ROUNDING: Final = 1
"""By so much a balance that is counted in units of an index may fall by more than was asked."""


def encode_action(state: AaveState, action: LendingAction) -> VenueCall:
    """Return the pool's call for ``action``, by the account for itself.

    A repayment of `ALL` is bounded by the debt at the account's time: take the account at the time up
    to which the call may run.
    """
    owner, spends = state.owner, tuple[Spend, ...]()
    match action:
        case Supply(token, amount):
            data = _SUPPLY.encode(token.address, amount, owner, _REFERRAL)
            spends = (Spend(token.address, amount, state.pool),)
        case Withdraw(token, amount):
            holding = state.get_holding(token.address)
            data = _WITHDRAW.encode(token.address, amount, owner)
            burnt = min(amount, holding.get_supplied(state.at)) + _ROUNDING
            spends = (Spend(holding.reserve.a_token, burnt),)
        case Borrow(token, amount):
            data = _BORROW.encode(token.address, amount, _VARIABLE_RATE, _REFERRAL, owner)
        case Repay(token, amount):
            data = _REPAY.encode(token.address, amount, _VARIABLE_RATE, owner)
            spends = _list_repayment(state, token, amount)
        case SetCollateral(token, enabled):
            data = _SET_COLLATERAL.encode(token.address, enabled)
        case SetEMode(mode):
            data = _SET_EMODE.encode(mode)
        case never:
            assert_never(never)
    return VenueCall(str(action), state.pool, data, spends=spends)


def _list_repayment(state: AaveState, token: Token, amount: int) -> tuple[Spend, ...]:
    """What is repaid leaves the account twice over: the tokens, and the debt token that counts them."""
    holding = state.get_holding(token.address)
    most = min(amount, holding.get_variable_debt(state.at)) if amount == ALL else amount
    counted = Spend(holding.reserve.debt_token, most + _ROUNDING)
    return Spend(token.address, most, state.pool), counted
