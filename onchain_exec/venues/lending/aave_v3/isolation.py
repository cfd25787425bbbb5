"""Isolation: one collateral that stands alone, under a ceiling of debt of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from onchain_exec.core import Address
from onchain_exec.venues.lending.aave_v3.reserve import Reserve
from onchain_exec.venues.lending.aave_v3.state import AaveState

_CEILING_DECIMALS: Final = 2
State = TypeVar("State", bound=AaveState)


def get_isolated_collateral(state: AaveState) -> Address | None:
    """Return the one collateral of an account in isolation, or None. Mirror of ``getIsolationModeState``."""
    used = [token for token, held in state.holdings.items() if held.position.is_collateral]
    if len(used) != 1 or not state.holdings[used[0]].reserve.config.debt_ceiling:
        return None
    return used[0]


def get_ceiling_amount(reserve: Reserve, amount: int) -> int:
    """Return borrowed base units in cents: a borrowed asset counts for a dollar, rounded down."""
    return int(amount // 10 ** (reserve.config.decimals - _CEILING_DECIMALS))


def add_isolated_debt(state: State, isolated: Address, reserve: Reserve, amount: int) -> State:
    """Return the account with a loan counted under its isolated collateral's ceiling."""
    return _change(state, isolated, get_ceiling_amount(reserve, amount))


def reduce_isolated_debt(state: State, reserve: Reserve, amount: int) -> State:
    """Return the account with a repayment counted. Mirror of ``updateIsolatedDebtIfIsolated``: interest is
    repaid and was never counted, so that nothing is left at the least."""
    isolated = get_isolated_collateral(state)
    return state if isolated is None else _change(state, isolated, -get_ceiling_amount(reserve, amount))


def _change(state: State, isolated: Address, amount: int) -> State:
    holding = state.get_holding(isolated)
    debt = max(0, holding.reserve.isolated_debt + amount)
    return state.put(isolated, replace(holding, reserve=replace(holding.reserve, isolated_debt=debt)))
