"""The bookings that every action of the clearing house is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD, mul_div_down
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.margin import (
    DUST,
    get_free_collateral,
    get_funding_owed,
    get_settlement_balance,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.orders import get_range_growth
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Account, Position, State

_WHOLE: Final = WAD


def require_running(state: State) -> None:
    """Refuse to act while the clearing house or the vault is paused.

    Raises:
        PoolRevertError: ``Pausable: paused``.
    """
    if state.paused:
        raise PoolRevertError("Pausable: paused", found="the exchange is paused")


def register(state: State, owner: Address, base_token: Address) -> State:
    """Return the state with the account in a market. Mirror of ``AccountBalance.registerBaseToken``.

    Raises:
        PoolRevertError: ``AB_MNE``, it is in too many.
    """
    account, most = state.get_account(owner), state.rules.max_markets_per_account
    if base_token in account.positions:
        return state
    if len(account.positions) >= most:
        raise PoolRevertError(
            "AB_MNE", found=f"{len(account.positions) + 1} markets", needed=f"{most} at most"
        )
    return state.with_account(account.with_position(base_token, Position()))


def settle_funding(state: State, owner: Address, base_token: Address) -> State:
    """Return the state with an account's funding booked and the market's growth written down.

    Mirror of ``ClearingHouse._settleFunding`` and ``Exchange.settleFunding``. The account must be in the
    market for its position to be kept.
    """
    market = state.get_market(base_token).settle(state.rules, state.at)
    state = state.with_market(market)
    account = state.get_account(owner)
    if base_token not in account.positions:
        return state
    position, growth = account.positions[base_token], market.growth
    account = account.with_pnl(-get_funding_owed(state, account, base_token, growth))
    orders = tuple(
        replace(order, last_growth=get_range_growth(market, order.tick_lower, order.tick_upper, growth))
        for order in position.orders
    )
    settled = replace(position, last_growth_x96=growth.tw_premium_x96, orders=orders)
    return state.with_account(account.with_position(base_token, settled))


def get_realised_pnl(position: Position, size: int, quote: int) -> int:
    """Return what a trade of ``size`` for ``quote`` (signed for the trader) realises of a position.

    Mirror of ``Exchange.getPnlToBeRealized`` and ``_getPnlToBeRealized``: nothing unless it reduces.
    """
    if not position.size or (position.size < 0) == (size < 0):
        return 0
    closed_wad = mul_div_down(abs(size), _WHOLE, abs(position.size))
    if closed_wad <= _WHOLE:
        return quote + signed.mul_div(position.open_notional, closed_wad, _WHOLE)
    return position.open_notional + signed.mul_div(quote, _WHOLE, closed_wad)


def book_trade(account: Account, base_token: Address, size: int, quote: int, pnl: int) -> Account:
    """Return the account after a trade; it leaves the market when nothing but dust is left.

    Mirror of ``AccountBalance.settleBalanceAndDeregister``.
    """
    position = account.get_position(base_token)
    position = replace(
        position, size=position.size + size, open_notional=position.open_notional + quote - pnl
    )
    account = account.with_pnl(pnl)
    if position.orders or abs(position.size) >= DUST or abs(position.open_notional) >= DUST:
        return account.with_position(base_token, position)
    positions = {base: kept for base, kept in account.positions.items() if base != base_token}
    return replace(account, positions=positions)


def require_free_collateral(state: State, owner: Address, ratio_pips: int, reason: str) -> None:
    """Refuse what leaves an account with less than its margin.

    Raises:
        PoolRevertError: ``reason``, with what is missing.
    """
    free = get_free_collateral(state, state.get_account(owner), ratio_pips)
    if free < 0:
        raise PoolRevertError(
            reason,
            found=f"{free / WAD:.6f} {state.settlement} of free collateral after it",
            needed=f"0 at a margin of {ratio_pips / 10_000:.2f} %",
            todo="Trade less, or add collateral",
        )


def settle_bad_debt(state: State, owner: Address) -> State:
    """Return the state with an empty account's debt moved to the insurance fund. ``Vault.settleBadDebt``."""
    account = state.get_account(owner)
    if account.positions or account.collateral:
        return state
    value = state.to_units(get_settlement_balance(state, account))
    if value >= 0:
        return state
    fund = state.get_account(state.contracts.insurance_fund)
    state = state.with_account(replace(fund, balance=fund.balance + value))
    return state.with_account(replace(account, balance=account.balance - value))
