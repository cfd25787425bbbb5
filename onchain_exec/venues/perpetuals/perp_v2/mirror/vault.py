"""Collateral into the vault, out of it, and sold off for an account's debt. Mirror of ``Vault``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import PIPS, mul_div_down
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.books import (
    require_running,
    settle_bad_debt,
    settle_funding,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.margin import (
    get_absolute_value,
    get_account_value,
    get_collateral_price,
    get_debt_value,
    get_free_token,
    get_other_collateral_value,
    get_settlement_value,
    get_token_value,
    get_tokens_worth,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Account, State


def deposit(state: State, owner: Address, token: Address, amount: int) -> State:
    """Return the state after ``Vault.deposit`` of base units of the settlement token or a collateral.

    Raises:
        InputError: the vault does not take the token.
        PoolRevertError: ``V_ZA`` nothing, ``V_GTSTBC`` or ``V_GTDC`` beyond the cap, ``V_CTNE`` too many
            kinds.
    """
    require_running(state)
    if amount <= 0:
        raise PoolRevertError("V_ZA", found=f"a deposit of {amount}", needed="more than 0")
    account = state.get_account(owner)
    if token == state.settlement.address:
        held, cap = state.settlement_in_vault + amount, state.rules.settlement_balance_cap
        _require_cap("V_GTSTBC", held, cap)
        state = replace(state, settlement_in_vault=held)
        return state.with_account(replace(account, balance=account.balance + amount))
    collateral = state.get_collateral(token)
    held = collateral.vault_balance + amount
    _require_cap("V_GTDC", held, collateral.deposit_cap)
    most = state.vault_rules.max_tokens_per_account
    if token not in account.collateral and len(account.collateral) >= most:
        raise PoolRevertError("V_CTNE", found=f"{most + 1} kinds of collateral", needed=f"{most} at most")
    state = state.with_collateral(replace(collateral, vault_balance=held))
    return state.with_account(_with_tokens(account, token, amount))


def withdraw(state: State, owner: Address, token: Address, amount: int) -> State:
    """Return the state after ``Vault.withdraw``; of the settlement token, what is realised is paid in too.

    Raises:
        InputError: the vault does not take the token.
        PoolRevertError: ``V_NEFC``, more than is free.
    """
    require_running(state)
    for base_token in tuple(state.get_account(owner).positions):
        state = settle_funding(state, owner, base_token)
    account = state.get_account(owner)
    free = get_free_token(state, account, token)
    if amount > free:
        raise PoolRevertError(
            "V_NEFC", found=f"{amount} base units to withdraw", needed=f"{free} at most", todo="Withdraw less"
        )
    if token == state.settlement.address:
        balance = account.balance - amount + state.to_units(account.owed_pnl_wad)
        state = replace(state, settlement_in_vault=state.settlement_in_vault - amount)
        return state.with_account(replace(account, balance=balance, owed_pnl_wad=0))
    collateral = state.get_collateral(token)
    state = state.with_collateral(replace(collateral, vault_balance=collateral.vault_balance - amount))
    return state.with_account(_with_tokens(account, token, -amount))


def is_collateral_liquidatable(state: State, account: Account) -> bool:
    """Return whether anyone may buy the account's collateral. Mirror of ``Vault.isLiquidatable``."""
    if not account.collateral:
        return False
    rules = state.vault_rules
    ratio_pips = state.rules.maintenance_margin_pips + rules.maintenance_buffer_pips
    if get_account_value(state, account) < signed.mul_ratio(get_absolute_value(state, account), ratio_pips):
        return True
    debt = max(0, -get_settlement_value(state, account))
    if debt > signed.mul_ratio(get_other_collateral_value(state, account), rules.debt_ratio_pips):
        return True
    return state.to_units(debt) > account.debt_threshold


@dataclass(frozen=True, slots=True)
class CollateralSale:
    """The most of a collateral that may be taken, and the settlement token to pay for it, in base units."""

    collateral: int
    settlement: int


def get_largest_sale(state: State, account: Account, token: Address) -> CollateralSale:
    """Return the largest sale. Mirror of ``Vault.getMaxRepaidSettlementAndLiquidatableCollateral``.

    Raises:
        InputError: the token is no collateral.
    """
    collateral = state.get_collateral(token)
    price = signed.mul_ratio(get_collateral_price(collateral, state.at), PIPS - collateral.discount_pips)
    repaid = _get_largest_repayment(state, account)
    tokens, held = get_tokens_worth(collateral, repaid, price), account.collateral.get(token, 0)
    if tokens > held:
        tokens, repaid = held, get_token_value(collateral, held, price)
    return CollateralSale(tokens, state.to_units(repaid))


def liquidate_collateral(
    state: State, liquidator: Address, owner: Address, token: Address
) -> tuple[State, CollateralSale]:
    """Return the state after the largest sale of an account's collateral to ``liquidator``'s wallet.

    Mirror of ``Vault.liquidateCollateral``; wallets are not part of the state.

    Raises:
        PoolRevertError: ``V_NL``, the account owes too little.
    """
    require_running(state)
    account = state.get_account(owner)
    if not is_collateral_liquidatable(state, account):
        raise PoolRevertError("V_NL", found=f"the collateral of {owner} is not for sale to {liquidator}")
    sale = get_largest_sale(state, account, token)
    fund_fee = signed.mul_ratio(sale.settlement, state.vault_rules.insurance_fund_fee_pips)
    fund = state.get_account(state.contracts.insurance_fund)
    state = state.with_account(replace(fund, balance=fund.balance + fund_fee))
    account = _with_tokens(account, token, -sale.collateral)
    account = replace(account, balance=account.balance + sale.settlement - fund_fee)
    collateral = state.get_collateral(token)
    state = state.with_collateral(
        replace(collateral, vault_balance=collateral.vault_balance - sale.collateral)
    )
    state = replace(state, settlement_in_vault=state.settlement_in_vault + sale.settlement)
    return settle_bad_debt(state.with_account(account), owner), sale


def _get_largest_repayment(state: State, account: Account) -> int:
    """Mirror of ``Vault._getMaxRepaidSettlement``, in 1e18."""
    rules = state.vault_rules
    owed = max(0, -get_settlement_value(state, account))
    margin = signed.mul_ratio(get_debt_value(state, account), state.rules.initial_margin_pips)
    debt = max(owed, margin)
    if debt > state.to_wad(rules.dust):
        debt = signed.mul_ratio(debt, rules.liquidation_ratio_pips)
    return mul_div_down(debt, PIPS, PIPS - rules.insurance_fund_fee_pips)


def _with_tokens(account: Account, token: Address, change: int) -> Account:
    left = account.collateral.get(token, 0) + change
    others = {kept: amount for kept, amount in account.collateral.items() if kept != token}
    return replace(account, collateral={**others, token: left} if left else others)


def _require_cap(reason: str, held: int, cap: int) -> None:
    if held > cap:
        raise PoolRevertError(reason, found=f"the vault would hold {held}", needed=f"{cap} at most")
