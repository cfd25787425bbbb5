"""Taking over the position of an account short of margin, and the price at which that begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core import Address
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import MAX_UINT128, PIPS, WAD, mul_div_down
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.perp_v2.mirror import signed
from onchain_exec.venues.perpetuals.perp_v2.mirror.books import (
    book_trade,
    get_realised_pnl,
    register,
    require_free_collateral,
    require_running,
    settle_bad_debt,
    settle_funding,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.margin import (
    get_absolute_value,
    get_account_value,
    get_account_value_rounded,
    get_maintenance_margin,
    get_position_value,
    get_settlement_value,
    get_taker_size,
    get_total_size,
    is_liquidatable,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import Account, State

_WHOLE_BELOW: Final = 100 * WAD
"""A position worth less is liquidated whole."""


@dataclass(frozen=True, slots=True)
class Liquidated:
    """What a liquidation moved, in 1e18: ``size`` (signed, taken over) at ``notional``, and the penalty that
    the account paid, of which ``reward`` went to the liquidator."""

    state: State
    size: int
    notional: int
    penalty: int
    reward: int


def get_liquidatable_size(state: State, account: Account, base_token: Address, value: int) -> int:
    """Return how much of a position may be taken over at an account value. ``getLiquidatablePositionSize``.

    Raises:
        PoolRevertError: the share does not fit the contract's type, which happens for a small position
            beside large ones.
    """
    required = get_maintenance_margin(state, account)
    size = get_total_size(state, account, base_token)
    if value >= required or not size:
        return 0
    worth = abs(get_position_value(state, account, base_token))
    if worth <= _WHOLE_BELOW:
        return size
    if value < required // 2:
        return signed.mul_ratio(size, PIPS)
    share_pips = mul_div_down(get_absolute_value(state, account), PIPS, 2 * worth)
    if share_pips >= 1 << 24:
        raise PoolRevertError("SafeCast: value doesn't fit in 24 bits", found=f"a share of {share_pips}")
    return signed.mul_ratio(size, min(share_pips, PIPS))


def liquidate(
    state: State, liquidator: Address, owner: Address, base_token: Address, size: int = 0
) -> Liquidated:
    """Return what ``ClearingHouse.liquidate`` does: ``liquidator`` takes over up to ``size`` (0: the most).

    Raises:
        StaleStateError: the index price has timed out.
        PoolRevertError: ``CH_EAV`` the account has enough, ``CH_CLWTISO`` it has orders (cancel them
            first), ``CH_NEFCI`` the liquidator has too little, and others.
    """
    require_running(state)
    market = state.get_market(base_token)
    market.require_open()
    market.feed.require_fresh(state.at)
    _require_liquidatable(state, owner)
    position = get_taker_size(state.get_account(owner).get_position(base_token))
    if not position:
        raise PoolRevertError("CH_PSZ", found=f"no position in {market.symbol}")
    if position * size < 0:
        raise PoolRevertError("CH_WLD", found=f"{size} of a position of {position}")
    state = register(state, liquidator, base_token)
    state = settle_funding(settle_funding(state, owner, base_token), liquidator, base_token)
    value = get_account_value_rounded(state, state.get_account(owner))
    most = get_liquidatable_size(state, state.get_account(owner), base_token, value)
    taken = most if abs(size) > abs(most) or not size else size
    mark = state.get_market(base_token).get_mark_price_wad(state.rules, state.at)
    notional = signed.mul_div(taken, mark, WAD)
    state = _book(state, owner, base_token, -taken, notional)
    penalty = signed.mul_ratio(abs(notional), state.rules.liquidation_penalty_pips)
    state = state.with_account(state.get_account(owner).with_pnl(-penalty))
    reward = penalty if value < 0 else penalty // 2
    fund = state.get_account(state.contracts.insurance_fund)
    state = state.with_account(fund.with_pnl(penalty - reward))
    _require_insured(state, owner)
    state = _book(state, liquidator, base_token, taken, reward - notional)
    require_free_collateral(state, liquidator, state.rules.initial_margin_pips, "CH_NEFCI")
    return Liquidated(settle_bad_debt(state, owner), taken, notional, penalty, reward)


def get_liquidation_price_wad(state: State, owner: Address, base_token: Address) -> int | None:
    """Return the mark price at which an account is about to be liquidated, all else as it is.

    Of a long the lowest, of a short the highest price at which it is not yet liquidatable; None where no
    price of this market decides: it has no position here, or enough (or too little) whatever the price.
    """
    account = state.get_account(owner)
    size = get_total_size(state, account, base_token)
    if not size:
        return None
    here = get_position_value(state, account, base_token)
    value = get_account_value(state, account) - here
    others = get_absolute_value(state, account) - abs(here)

    def holds(price_wad: int) -> bool:
        worth = signed.mul_div(size, price_wad, WAD)
        rounded = state.to_wad(state.to_units(value + worth))
        required = signed.mul_ratio(others + abs(worth), state.rules.maintenance_margin_pips)
        return rounded >= required

    if holds(0) == holds(MAX_UINT128):
        return None
    if size < 0:
        return find_largest(holds, 0, MAX_UINT128)
    return find_largest(lambda price_wad: not holds(price_wad), 0, MAX_UINT128) + 1


def _require_liquidatable(state: State, owner: Address) -> None:
    account = state.get_account(owner)
    if any(
        position.orders and state.get_market(base).is_open for base, position in account.positions.items()
    ):
        raise PoolRevertError("CH_CLWTISO", found="the account has orders", todo="Cancel them first")
    if not is_liquidatable(state, account):
        raise PoolRevertError(
            "CH_EAV",
            found=f"an account value of {get_account_value_rounded(state, account) / WAD:.6f}",
            needed=f"less than {get_maintenance_margin(state, account) / WAD:.6f}",
        )


def _require_insured(state: State, owner: Address) -> None:
    """Refuse a loss that the insurance fund cannot bear (``CH_IIC``)."""
    loss = -get_account_value_rounded(state, state.get_account(owner))
    fund = state.get_account(state.contracts.insurance_fund)
    capacity = state.to_units(get_settlement_value(state, fund)) + state.insurance_wallet
    if loss > 0 and state.to_wad(capacity) < loss:
        raise PoolRevertError("CH_IIC", found=f"a loss of {loss}", needed=f"{state.to_wad(capacity)} at most")


def _book(state: State, owner: Address, base_token: Address, size: int, quote: int) -> State:
    account = state.get_account(owner)
    pnl = get_realised_pnl(account.get_position(base_token), size, quote) if size else 0
    return state.with_account(book_trade(account, base_token, size, quote, pnl))
