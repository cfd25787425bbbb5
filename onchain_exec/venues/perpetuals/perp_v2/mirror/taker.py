"""Opening, changing and closing a position against the makers. Mirror of ``ClearingHouse``."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core import Address, Exact
from onchain_exec.core.fixed_point import PIPS, mul_div_down
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.perp_v2.mirror.books import (
    book_trade,
    get_realised_pnl,
    register,
    require_free_collateral,
    require_running,
    settle_funding,
)
from onchain_exec.venues.perpetuals.perp_v2.mirror.margin import get_taker_size
from onchain_exec.venues.perpetuals.perp_v2.mirror.state import State
from onchain_exec.venues.perpetuals.perp_v2.mirror.swap import Swap, Swapped, swap


@dataclass(frozen=True, slots=True)
class Traded:
    """What a trade did, in 1e18: ``base`` and ``quote`` as the contract returns them, without signs and with
    the fee in ``quote``; ``size`` and ``notional`` signed and before the fee."""

    state: State
    base: int
    quote: int
    size: int
    notional: int
    fee: int
    realised_pnl: int


def open_position(state: State, owner: Address, base_token: Address, wish: Swap, bound: int = 0) -> Traded:
    """Return what ``ClearingHouse.openPosition`` does at the state's time, and the state after it.

    ``bound`` limits the side that the wish does not fix (0: no limit).

    Raises:
        StaleStateError: the index price has timed out.
        PoolRevertError: the contract would revert, for example ``CH_NEFCI``.
    """
    require_running(state)
    market = state.get_market(base_token)
    market.require_open()
    market.feed.require_fresh(state.at)
    settled = settle_funding(register(state, owner, base_token), owner, base_token)
    traded = _trade(settled, owner, base_token, wish)
    _require_bound(wish, traded, bound)
    return traded


def close_position(
    state: State, owner: Address, base_token: Address, limit_x96: int = 0, bound: int = 0
) -> Traded:
    """Return what ``ClearingHouse.closePosition`` does: it closes as much as the block's price limit lets.

    Raises:
        StaleStateError: the index price has timed out.
        PoolRevertError: the contract would revert, for example ``CH_PSZ`` where nothing is open.
    """
    require_running(state)
    market = state.get_market(base_token)
    market.require_open()
    market.feed.require_fresh(state.at)
    state = settle_funding(state, owner, base_token)
    size = get_taker_size(state.get_account(owner).get_position(base_token))
    if not size:
        raise PoolRevertError("CH_PSZ", found=f"no position in {market.symbol}", needed="one to close")
    limit = state.get_market(base_token).get_closing_limit_x96(size < 0, limit_x96)
    wish = Swap(size > 0, Exact.IN if size > 0 else Exact.OUT, abs(size), limit)
    traded = _trade(state, owner, base_token, wish)
    if traded.base < abs(size):
        bound = mul_div_down(bound, mul_div_down(traded.base, PIPS, abs(size)), PIPS)
    _require_bound(wish, traded, bound)
    return traded


def _trade(state: State, owner: Address, base_token: Address, wish: Swap) -> Traded:
    """Mirror of ``ClearingHouse._openPosition``."""
    account = state.get_account(owner)
    before = account.get_position(base_token)
    done = swap(state.get_market(base_token), wish, account.fee_pips[base_token], state.rules, state.at)
    state = _pay_insurance(state.with_market(done.market), done)
    account = state.get_account(owner)
    size_before = get_taker_size(before)
    pnl = get_realised_pnl(before, done.size, done.quote) if size_before else 0
    account = book_trade(account, base_token, done.size, done.quote, pnl)
    state = state.with_account(account)
    size_after = get_taker_size(account.get_position(base_token))
    _require_margin(state, owner, size_before, size_after, sells=wish.sells)
    return Traded(state, abs(done.size), abs(done.quote), done.size, done.notional, done.fee, pnl)


def _pay_insurance(state: State, done: Swapped) -> State:
    fund = state.get_account(state.contracts.insurance_fund)
    return state.with_account(fund.with_pnl(done.insurance_fund_fee))


def _require_margin(state: State, owner: Address, before: int, after: int, *, sells: bool) -> None:
    """Refuse too little collateral: the initial margin, or the maintenance margin where it reduces."""
    reduces = before != 0 and (before < 0) != sells
    reverses = before != 0 and after != 0 and (before < 0) != (after < 0)
    if reduces and not reverses:
        require_free_collateral(state, owner, state.rules.maintenance_margin_pips, "CH_NEFCM")
    else:
        require_free_collateral(state, owner, state.rules.initial_margin_pips, "CH_NEFCI")


def _require_bound(wish: Swap, traded: Traded, bound: int) -> None:
    """Mirror of ``ClearingHouse._checkSlippage``."""
    if not bound:
        return
    exact_in = wish.exact is Exact.IN
    found = traded.quote if wish.sells == exact_in else traded.base
    if (found < bound) if exact_in else (found > bound):
        reason = ("CH_TLR" if exact_in else "CH_TMR") + ("S" if wish.sells else "L")
        raise PoolRevertError(
            reason,
            found=f"{found} for {wish.amount}",
            needed=f"{bound} or {'more' if exact_in else 'less'}",
        )
