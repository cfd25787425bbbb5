"""What the pool demands before it does anything: mirrors of ``ValidationLogic``, in its order."""

from __future__ import annotations

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError
from onchain_exec.venues.lending.aave_v3.configuration import ReserveConfig
from onchain_exec.venues.lending.aave_v3.isolation import get_ceiling_amount, get_isolated_collateral
from onchain_exec.venues.lending.aave_v3.ray_math import percent_div, ray_mul
from onchain_exec.venues.lending.aave_v3.refusal import Refusal, require
from onchain_exec.venues.lending.aave_v3.reserve import Reserve
from onchain_exec.venues.lending.aave_v3.state import AaveState


def validate_open(reserve: Reserve) -> None:
    """Raise unless the reserve is active and not paused."""
    config, token = reserve.config, reserve.token
    require(config.is_active, Refusal.RESERVE_INACTIVE, f"the reserve of {token} is not active")
    require(not config.is_paused, Refusal.RESERVE_PAUSED, f"the reserve of {token} is paused")


def validate_supply(reserve: Reserve, amount: int) -> None:
    """Mirror of ``validateSupply``; the reserve is accrued."""
    config = reserve.config
    require(amount > 0, Refusal.INVALID_AMOUNT, "nothing to supply")
    validate_open(reserve)
    require(not config.is_frozen, Refusal.RESERVE_FROZEN, f"the reserve of {reserve.token} is frozen")
    if config.supply_cap:
        claims = ray_mul(reserve.supplied_scaled + reserve.treasury_scaled, reserve.liquidity_index_ray)
        supplied, cap = claims + amount, config.supply_cap * config.unit
        require(supplied <= cap, Refusal.SUPPLY_CAP_EXCEEDED, f"{supplied} supplied", f"at most {cap}")


def validate_withdrawal(reserve: Reserve, amount: int, supplied: int) -> None:
    """Mirror of ``validateWithdraw``."""
    require(amount > 0, Refusal.INVALID_AMOUNT, "nothing to withdraw")
    require(
        amount <= supplied,
        Refusal.NOT_ENOUGH_AVAILABLE_USER_BALANCE,
        f"{supplied} base units of {reserve.token} are supplied",
        f"{amount}",
    )
    validate_open(reserve)


def validate_borrow(state: AaveState, reserve: Reserve, amount: int, isolated: Address | None) -> None:
    """Mirror of ``validateBorrow`` at the variable rate; the reserve is accrued."""
    config, token = reserve.config, reserve.token
    require(amount > 0, Refusal.INVALID_AMOUNT, "nothing to borrow")
    validate_open(reserve)
    require(not config.is_frozen, Refusal.RESERVE_FROZEN, f"the reserve of {token} is frozen")
    require(config.may_borrow, Refusal.BORROWING_NOT_ENABLED, f"{token} cannot be borrowed")
    require(state.may_borrow, Refusal.PRICE_ORACLE_SENTINEL_CHECK_FAILED, "the sequencer was down")
    _validate_borrow_cap(reserve, amount)
    if isolated is not None:
        _validate_ceiling(state, reserve, amount, isolated)
    if state.emode:
        require(
            config.emode == state.emode,
            Refusal.INCONSISTENT_EMODE_CATEGORY,
            f"{token} is of e-mode {config.emode}",
            f"an asset of the account's e-mode {state.emode}",
        )
    _validate_cover(state, reserve, amount)
    _validate_silo(state, reserve)


def validate_health(state: AaveState) -> None:
    """Mirror of ``validateHealthFactor``."""
    found = state.data.health_factor_wad
    require(
        found >= WAD,
        Refusal.HEALTH_FACTOR_LOWER_THAN_LIQUIDATION_THRESHOLD,
        f"a health factor of {found} wad",
        f"{WAD} wad",
        "Repay, or supply more collateral, first",
    )


def validate_health_and_ltv(state: AaveState, config: ReserveConfig) -> None:
    """Mirror of ``validateHFAndLtv``: collateral that counts for nothing is taken first."""
    validate_health(state)
    require(
        not state.data.has_zero_ltv_collateral or config.ltv_bps == 0,
        Refusal.LTV_VALIDATION_FAILED,
        "another collateral has a loan to value of 0",
        "that one is withdrawn first",
    )


def validate_emode(state: AaveState, mode: int) -> None:
    """Mirror of ``validateSetUserEMode``.

    Raises:
        InputError: a mode that the account was read without.
    """
    if mode and mode not in state.emodes:
        raise InputError(f"e-mode {mode} was not read", needed=f"one of {sorted(state.emodes)}")
    require(
        mode == 0 or state.emodes[mode].liquidation_threshold_bps != 0,
        Refusal.INCONSISTENT_EMODE_CATEGORY,
        f"there is no e-mode {mode}",
    )
    for holding in state.holdings.values():
        if mode and holding.position.is_borrowing:
            found = holding.reserve.config.emode
            require(
                found == mode,
                Refusal.INCONSISTENT_EMODE_CATEGORY,
                f"{holding.reserve.token}, of e-mode {found}, is borrowed",
                f"debts of e-mode {mode} alone",
            )


def may_become_collateral(state: AaveState, config: ReserveConfig) -> bool:
    """Mirror of ``validateUseAsCollateral``."""
    if not config.ltv_bps:
        return False
    if not any(held.position.is_collateral for held in state.holdings.values()):
        return True
    return get_isolated_collateral(state) is None and not config.debt_ceiling


def _validate_borrow_cap(reserve: Reserve, amount: int) -> None:
    cap = reserve.config.borrow_cap * reserve.config.unit
    if cap:
        debt = ray_mul(reserve.borrowed_scaled, reserve.borrow_index_ray) + amount
        debt += reserve.stable.get_total(reserve.updated_at)
        require(debt <= cap, Refusal.BORROW_CAP_EXCEEDED, f"{debt} borrowed", f"at most {cap}")


def _validate_ceiling(state: AaveState, reserve: Reserve, amount: int, isolated: Address) -> None:
    collateral = state.get_holding(isolated).reserve
    require(
        reserve.config.borrowable_in_isolation,
        Refusal.ASSET_NOT_BORROWABLE_IN_ISOLATION,
        f"{reserve.token} against {collateral.token}, which is isolated",
    )
    debt = collateral.isolated_debt + get_ceiling_amount(reserve, amount)
    ceiling = collateral.config.debt_ceiling
    require(
        debt <= ceiling, Refusal.DEBT_CEILING_EXCEEDED, f"{debt} cents of debt", f"at most {ceiling} cents"
    )


def _validate_cover(state: AaveState, reserve: Reserve, amount: int) -> None:
    data = state.data
    require(data.collateral > 0, Refusal.COLLATERAL_BALANCE_IS_ZERO, "no collateral")
    require(data.ltv_bps > 0, Refusal.LTV_VALIDATION_FAILED, "collateral with a loan to value of 0")
    require(
        data.health_factor_wad > WAD,
        Refusal.HEALTH_FACTOR_LOWER_THAN_LIQUIDATION_THRESHOLD,
        f"a health factor of {data.health_factor_wad} wad",
        f"more than {WAD} wad",
    )
    mode_price = state.emodes[state.emode].price if state.emode else 0
    debt = data.debt + reserve.get_value(amount, mode_price or None)
    needed = percent_div(debt, data.ltv_bps)
    require(
        needed <= data.collateral,
        Refusal.COLLATERAL_CANNOT_COVER_NEW_BORROW,
        f"collateral worth {data.collateral}",
        f"{needed} of the oracle's base currency",
        "Borrow less, or supply more collateral",
    )


def _validate_silo(state: AaveState, reserve: Reserve) -> None:
    borrowed = [held.reserve for held in state.holdings.values() if held.position.is_borrowing]
    if not borrowed:
        return
    if len(borrowed) == 1 and borrowed[0].config.is_siloed:
        is_allowed = borrowed[0].token == reserve.token
    else:
        is_allowed = not reserve.config.is_siloed
    require(
        is_allowed,
        Refusal.SILOED_BORROWING_VIOLATION,
        f"{reserve.token} beside {', '.join(map(str, (other.token for other in borrowed)))}",
        "a siloed asset borrowed alone",
    )
