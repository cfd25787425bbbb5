"""What an account is worth, what it must keep, and what is free. Mirror of ``Vault`` and ``AccountBalance``.

All in 1e18 of the settlement token, and as of the state's time.
"""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import PIPS, WAD, div_trunc, mul_div_down, mul_div_up
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.market import Growth
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Account, Collateral, Position, State

DUST: Final = 10
"""Sizes below it count as none."""
_DAY_S: Final = 86_400
_COLLATERAL_MEAN_S: Final = 900


def get_taker_size(position: Position) -> int:
    """Return a taker's size, dust as 0. Mirror of ``getTakerPositionSize``."""
    return position.size if abs(position.size) >= DUST else 0


def get_total_size(state: State, account: Account, base_token: Address) -> int:
    """Return the size of taker and maker together, dust as 0. Mirror of ``getTotalPositionSize``."""
    position, market = account.get_position(base_token), state.get_market(base_token)
    size = position.size + sum(order.get_base(market) - order.base_debt for order in position.orders)
    return size if abs(size) >= DUST else 0


def get_position_value(state: State, account: Account, base_token: Address) -> int:
    """Return the signed value of a position at the reference price. Mirror of ``getTotalPositionValue``."""
    size = get_total_size(state, account, base_token)
    if not size:
        return 0
    return signed.mul_div(
        size, state.get_market(base_token).get_reference_price_wad(state.rules, state.at), WAD
    )


def get_absolute_value(state: State, account: Account) -> int:
    """Return the sum of the positions' values without their signs. ``getTotalAbsPositionValue``."""
    return sum(abs(get_position_value(state, account, base)) for base in account.positions)


def get_funding_owed(
    state: State, account: Account, base_token: Address, growth: Growth | None = None
) -> int:
    """Return what a position owes of funding, negative where it is owed. ``getPendingFundingPayment``."""
    position, market = account.get_position(base_token), state.get_market(base_token)
    growth = growth or market.get_growth(state.rules, state.at)
    base = position.size - sum(order.base_debt for order in position.orders)
    of_orders = sum(order.get_funding(market, growth) for order in position.orders)
    of_base = signed.mul_div(base, growth.tw_premium_x96 - position.last_growth_x96, 1 << 96)
    return div_trunc(of_orders + of_base, _DAY_S)


def get_settlement_balance(state: State, account: Account) -> int:
    """Return the settlement token with all that is realised, owed and earned, but no open profit."""
    pending_fee = sum(
        order.get_pending_fee(state.get_market(base))
        for base, position in account.positions.items()
        for order in position.orders
    )
    funding = sum(get_funding_owed(state, account, base) for base in account.positions)
    return state.to_wad(account.balance) + pending_fee - funding + account.owed_pnl_wad


def get_open_pnl(state: State, account: Account) -> int:
    """Return the profit of all open positions. Mirror of ``AccountBalance.getPnlAndPendingFee``."""
    value = sum(get_position_value(state, account, base) for base in account.positions)
    for base, position in account.positions.items():
        market = state.get_market(base)
        value += position.open_notional
        value += sum(order.get_quote(market) - order.quote_debt for order in position.orders)
    return value


def get_settlement_value(state: State, account: Account) -> int:
    """Return settlement balance and open profit. Mirror of ``Vault.getSettlementTokenValue``."""
    return get_settlement_balance(state, account) + get_open_pnl(state, account)


def get_collateral_price(collateral: Collateral, at: int) -> int:
    """Return a collateral's price as its feed scales it: a mean over 15 minutes."""
    return collateral.feed.get_price(_COLLATERAL_MEAN_S, at)


def get_token_value(collateral: Collateral, amount: int, price: int) -> int:
    """Return the 1e18 value of base units. Mirror of ``Vault._getSettlementByCollateral``."""
    unit, decimals = 10**collateral.feed.decimals, collateral.token.decimals
    if decimals > 18:
        return signed.convert_decimals(mul_div_down(amount, price, unit), decimals, 18)
    return mul_div_down(signed.convert_decimals(amount, decimals, 18), price, unit)


def get_tokens_worth(collateral: Collateral, value_wad: int, price: int) -> int:
    """Return the base units that a value buys. Mirror of ``Vault._getCollateralBySettlement``."""
    unit, decimals = 10**collateral.feed.decimals, collateral.token.decimals
    if decimals > 18:
        return mul_div_up(signed.convert_decimals(value_wad, 18, decimals), unit, price)
    return signed.convert_decimals(mul_div_up(value_wad, unit, price), 18, decimals)


def get_other_collateral_value(state: State, account: Account) -> int:
    """Return what tokens other than the settlement token count for. ``_getNonSettlementTokenValue``."""
    total = 0
    for token, amount in account.collateral.items():
        collateral = state.get_collateral(token)
        value = get_token_value(collateral, amount, get_collateral_price(collateral, state.at))
        total += signed.mul_ratio(value, collateral.ratio_pips)
    return total


def get_collateral_value(state: State, account: Account) -> int:
    """Return all collateral with what is realised, without open profit."""
    return get_other_collateral_value(state, account) + get_settlement_balance(state, account)


def get_account_value(state: State, account: Account) -> int:
    """Return collateral and open profit. Mirror of ``_getAccountValueAndTotalCollateralValue``."""
    return get_collateral_value(state, account) + get_open_pnl(state, account)


def get_account_value_rounded(state: State, account: Account) -> int:
    """Return the account's value by whole base units, down, which is what liquidations look at.

    Mirror of ``ClearingHouse.getAccountValue``.
    """
    return state.to_wad(state.to_units(get_account_value(state, account)))


def get_debt_value(state: State, account: Account) -> int:
    """Return what the account has borrowed: base at its reference price, and quote on balance.

    Mirror of ``AccountBalance.getTotalDebtValue``.
    """
    quote = base_debt = 0
    for base_token, position in account.positions.items():
        base = position.size - sum(order.base_debt for order in position.orders)
        if base < 0:
            price = state.get_market(base_token).get_reference_price_wad(state.rules, state.at)
            base_debt += signed.mul_div(base, price, WAD)
        quote += position.open_notional - sum(order.quote_debt for order in position.orders)
    return abs(min(quote, 0) + base_debt)


def get_free_collateral(state: State, account: Account, ratio_pips: int) -> int:
    """Return what is left after the margin that ``ratio_pips`` asks of the debt; negative if short.

    Open profit does not count, open loss does. Mirror of ``Vault._getFreeCollateralByRatio``.
    """
    collateral = get_collateral_value(state, account)
    value = collateral + get_open_pnl(state, account)
    return min(collateral, value) - signed.mul_ratio(get_debt_value(state, account), ratio_pips)


def get_maintenance_margin(state: State, account: Account) -> int:
    """Return the account value below which it is liquidated. ``getMarginRequirementForLiquidation``."""
    return signed.mul_ratio(get_absolute_value(state, account), state.rules.maintenance_margin_pips)


def is_liquidatable(state: State, account: Account) -> bool:
    """Return whether anyone may take positions over. Mirror of ``ClearingHouse._isLiquidatable``."""
    return get_account_value_rounded(state, account) < get_maintenance_margin(state, account)


def get_free_token(state: State, account: Account, token: Address) -> int:
    """Return the base units of a token that may be withdrawn. Mirror of ``getFreeCollateralByToken``."""
    if get_settlement_value(state, account) < 0:
        return 0
    free = max(get_free_collateral(state, account, state.rules.initial_margin_pips), 0)
    if not free:
        return 0
    if token == state.settlement.address:
        return max(0, state.to_units(min(free, get_settlement_balance(state, account))))
    collateral = state.get_collateral(token)
    worth = get_tokens_worth(collateral, free, get_collateral_price(collateral, state.at))
    return min(mul_div_down(worth, PIPS, collateral.ratio_pips), account.collateral.get(token, 0))
