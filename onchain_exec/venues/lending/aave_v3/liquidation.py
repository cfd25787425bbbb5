"""What a third party may do to an account that its collateral no longer covers: mirror of
``LiquidationLogic``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import BPS, WAD
from onchain_exec.errors import UnsupportedOrderError
from onchain_exec.venues.lending.aave_v3.account import AaveAccount
from onchain_exec.venues.lending.aave_v3.changes import burn_debt
from onchain_exec.venues.lending.aave_v3.isolation import reduce_isolated_debt
from onchain_exec.venues.lending.aave_v3.ray_math import percent_div, percent_mul, ray_div, ray_mul
from onchain_exec.venues.lending.aave_v3.refusal import Refusal, require
from onchain_exec.venues.lending.aave_v3.state import Holding
from onchain_exec.venues.lending.aave_v3.validation import validate_open

_CLOSE_FACTOR_BPS: Final = 5_000
_FULL_CLOSE_BELOW_WAD: Final = WAD * 95 // 100


@dataclass(frozen=True, slots=True)
class Liquidation:
    """What a liquidation takes, in base units: ``repaid`` of the debt from the liquidator, ``seized`` of
    the collateral to the liquidator, ``fee`` of it to the treasury. ``account`` is what it leaves."""

    account: AaveAccount
    repaid: int
    seized: int
    fee: int


def liquidate(account: AaveAccount, collateral: Address, debt: Address, debt_to_cover: int) -> Liquidation:
    """Return what ``liquidationCall`` does at the account's time, the collateral paid out as the underlying.

    Raises:
        PoolRevertError: the pool would revert.
        UnsupportedOrderError: the account has debt at a stable rate, which this does not burn.
    """
    held, owed = account.get_holding(collateral), account.get_holding(debt)
    if owed.position.stable.principal:
        raise UnsupportedOrderError("a liquidation of stable debt", needed="debt at the variable rate")
    health_factor, total = account.data.health_factor_wad, owed.get_variable_debt(account.at)
    full = health_factor <= _FULL_CLOSE_BELOW_WAD
    covered = min(debt_to_cover, percent_mul(total, BPS if full else _CLOSE_FACTOR_BPS))
    _validate(account, held, owed, health_factor)
    require(total > 0, Refusal.SPECIFIED_CURRENCY_NOT_BORROWED_BY_USER, f"no debt of {owed.reserve.token}")
    repaid, seized, fee = _divide_collateral(account, held, owed, covered)
    supplied = held.get_supplied(account.at)
    after = account
    if seized + fee == supplied:
        stopped = replace(held.position, is_collateral=False)
        after = account.put(collateral, replace(held, position=stopped))
    after = burn_debt(after, debt, repaid)
    after = _refresh(after, debt, added=repaid)
    after = reduce_isolated_debt(after, owed.reserve, repaid)
    after = _seize(after, collateral, seized)
    after = _pay_fee(after, collateral, fee)
    paid = after.get_holding(debt)
    reserve = replace(paid.reserve, liquidity=paid.reserve.liquidity + repaid)
    return Liquidation(after.put(debt, replace(paid, reserve=reserve)), repaid, seized, fee)


def _validate(account: AaveAccount, held: Holding, owed: Holding, health_factor: int) -> None:
    """Mirror of ``validateLiquidationCall``."""
    validate_open(held.reserve)
    validate_open(owed.reserve)
    require(
        health_factor < _FULL_CLOSE_BELOW_WAD or account.may_liquidate,
        Refusal.PRICE_ORACLE_SENTINEL_CHECK_FAILED,
        "the sequencer was down",
    )
    require(
        health_factor < WAD,
        Refusal.HEALTH_FACTOR_NOT_BELOW_THRESHOLD,
        f"a health factor of {health_factor} wad",
        f"less than {WAD} wad",
    )
    counts = held.position.is_collateral and held.reserve.config.liquidation_threshold_bps
    require(bool(counts), Refusal.COLLATERAL_CANNOT_BE_LIQUIDATED, f"{held.reserve.token} is no collateral")


def _divide_collateral(
    account: AaveAccount, held: Holding, owed: Holding, covered: int
) -> tuple[int, int, int]:
    """Return (debt repaid, collateral to the liquidator, fee). Mirror of
    ``_calculateAvailableCollateralToLiquidate``."""
    source, config, mode = held.reserve, held.reserve.config, account.get_mode(held.reserve)
    bonus_bps = (mode or config).liquidation_bonus_bps
    mode_price = account.emodes[account.emode].price if account.emode else 0
    debt_price, price = mode_price or owed.reserve.price, account.get_price(source)
    debt_unit, supplied = owed.reserve.config.unit, held.get_supplied(account.at)
    base = debt_price * covered * config.unit // (price * debt_unit)
    amount, repaid = percent_mul(base, bonus_bps), covered
    if amount > supplied:
        amount = supplied
        repaid = percent_div(price * amount * debt_unit // (debt_price * config.unit), bonus_bps)
    fee = percent_mul(amount - percent_div(amount, bonus_bps), config.protocol_fee_bps)
    return repaid, amount - fee, fee


def _refresh(account: AaveAccount, token: Address, *, added: int = 0, taken: int = 0) -> AaveAccount:
    held = account.get_holding(token)
    reserve = held.reserve.accrue(account.at).refresh_rates(added=added, taken=taken)
    return account.put(token, replace(held, reserve=reserve))


def _seize(account: AaveAccount, token: Address, amount: int) -> AaveAccount:
    """Mirror of ``_burnCollateralATokens``."""
    held = _refresh(account, token, taken=amount).get_holding(token)
    scaled = ray_div(amount, held.reserve.liquidity_index_ray)
    require(scaled > 0, Refusal.INVALID_BURN_AMOUNT, f"{amount} base units of {held.reserve.token}")
    require(scaled <= held.position.supplied_scaled, Refusal.UNDERFLOW, "more aTokens than there are")
    reserve = replace(
        held.reserve,
        supplied_scaled=held.reserve.supplied_scaled - scaled,
        liquidity=held.reserve.liquidity - amount,
    )
    position = replace(held.position, supplied_scaled=held.position.supplied_scaled - scaled)
    return account.put(token, Holding(reserve, position))


def _pay_fee(account: AaveAccount, token: Address, fee: int) -> AaveAccount:
    """Move aTokens to the treasury: they stay in the reserve."""
    held = account.get_holding(token)
    index, left = held.reserve.get_income_ray(account.at), held.position.supplied_scaled
    if ray_div(fee, index) > left:
        fee = ray_mul(left, index)
    moved = replace(held.position, supplied_scaled=left - ray_div(fee, index))
    return account.put(token, replace(held, position=moved))
