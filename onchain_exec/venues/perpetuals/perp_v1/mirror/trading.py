"""Opening, changing, closing and liquidating positions, margin, and funding. Mirror of ``ClearingHouse``."""

from __future__ import annotations

from dataclasses import dataclass, replace

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.perpetuals.decimals import div_d, mul_d, sub_d
from onchain_exec.venues.perpetuals.perp_v1.mirror.amm import Amm
from onchain_exec.venues.perpetuals.perp_v1.mirror.house import (
    House,
    Position,
    get_liquidation_ratio,
    get_margin_ratio,
    get_remaining,
    get_worth,
    require_position,
    require_ratio,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A trade: margin times leverage is its notional; the base for it is limited by ``base_limit`` (0: not
    at all): at least so much where it buys, at most where it sells."""

    buys: bool
    margin: int
    leverage: int
    base_limit: int = 0

    @property
    def notional(self) -> int:
        """What is traded for."""
        return mul_d(self.margin, self.leverage)


@dataclass(frozen=True, slots=True)
class Traded:
    """What a trade did: signed size, quote exchanged, the fee, what it realised, margin paid in (negative:
    out), and a loss beyond the margin."""

    house: House
    size: int
    notional: int
    fee: int
    realised_pnl: int
    margin_paid: int
    bad_debt: int


@dataclass(frozen=True, slots=True)
class _Step:
    amm: Amm
    position: Position
    size: int
    notional: int
    realised_pnl: int
    margin_paid: int
    bad_debt: int


def open_position(house: House, owner: Address, market: Address, wish: Wish) -> Traded:
    """Return what ``openPosition`` does: it opens, adds to, reduces or reverses a position.

    Raises:
        PoolRevertError: the contract would revert.
        StaleStateError: the index is too old.
    """
    house.require_running()
    amm = house.get_open_amm(market)
    if not wish.margin or not wish.leverage:
        raise PoolRevertError("input is 0", found=f"{wish}", needed="a margin and a leverage")
    require_ratio(div_d(WAD, wish.leverage), house.initial_margin)
    old = house.get_position(market, owner)
    if not old.size or (old.size > 0) == wish.buys:
        step = _increase(house, amm, old, wish, wish.notional)
    else:
        step = _reverse(house, amm, old, wish, liquidates=False)
    if old.size and step.position.size:
        require_ratio(get_margin_ratio(step.amm, step.position, house.at), house.maintenance_margin)
    cash = house.get_cash(amm)
    cash = cash.taken_in(step.margin_paid) if step.margin_paid > 0 else cash.paid_out(-step.margin_paid)
    after = house.with_amm(step.amm).with_position(market, owner, step.position).with_cash(cash)
    return _charge(after, step)


def close_position(house: House, owner: Address, market: Address, quote_limit: int = 0) -> Traded:
    """Return what ``closePosition`` does; ``quote_limit`` is least for a long, most for a short (0: none).

    Raises:
        PoolRevertError: the contract would revert, for example ``positionSize is 0``.
        StaleStateError: the index is too old.
    """
    house.require_running()
    amm = house.get_open_amm(market)
    old = house.get_position(market, owner)
    step = _close(house, amm, old, liquidates=False)
    if quote_limit and (step.notional < quote_limit if old.size > 0 else step.notional > quote_limit):
        reason = "Less than minimal quote token" if old.size > 0 else "More than maximal quote token"
        raise PoolRevertError(reason, found=f"{step.notional}", needed=f"{quote_limit}")
    cash = house.get_cash(amm)
    if step.bad_debt:
        cash = cash.with_bad_debt(step.bad_debt)
    after = house.with_amm(step.amm).with_position(market, owner, Position())
    return _charge(after.with_cash(cash.paid_out(-step.margin_paid)), step)


def add_margin(house: House, owner: Address, market: Address, amount: int) -> House:
    """Return the house after ``addMargin``; there need not be a position yet."""
    house.require_running()
    amm, position = house.get_open_amm(market), house.get_position(market, owner)
    _require_amount(amount)
    house = house.with_cash(house.get_cash(amm).taken_in(amount))
    return house.with_position(market, owner, replace(position, margin=position.margin + amount))


def remove_margin(house: House, owner: Address, market: Address, amount: int) -> House:
    """Return the house after ``removeMargin``.

    Raises:
        PoolRevertError: ``margin is not enough``, or less than the initial margin would be left.
    """
    house.require_running()
    amm, position = house.get_open_amm(market), house.get_position(market, owner)
    _require_amount(amount)
    left = get_remaining(amm, position, -amount)
    if left.bad_debt:
        raise PoolRevertError(
            "margin is not enough", found=f"{amount} to take out", needed=f"{amount - left.bad_debt} at most"
        )
    position = replace(position, margin=left.margin, last_premium=amm.premium)
    require_ratio(get_margin_ratio(amm, position, house.at), house.initial_margin)
    house = house.with_cash(house.get_cash(amm).paid_out(amount))
    return house.with_position(market, owner, position)


def pay_funding(house: House, market: Address) -> House:
    """Return the house after ``payFunding``, which anyone may call once a period is over.

    Raises:
        PoolRevertError: ``settle funding too early``.
    """
    amm, fraction = house.get_open_amm(market).settle_funding(house.at)
    profit, cash = mul_d(fraction, amm.total_size), house.get_cash(amm)
    cash = cash.from_fund(-profit) if profit < 0 else cash.to_fund(profit)
    return house.with_amm(amm).with_cash(cash)


def liquidate(house: House, owner: Address, market: Address) -> Traded:
    """Return what ``liquidate`` does: a part of the position where that may do, else all of it.

    ``fee`` is what the liquidator is paid.

    Raises:
        PoolRevertError: ``Margin ratio not meet criteria``, the position has enough.
        StaleStateError: the index is too old.
    """
    amm, position = house.get_open_amm(market), house.get_position(market, owner)
    ratio = get_liquidation_ratio(amm, position, house.at)
    if ratio >= house.maintenance_margin:
        raise PoolRevertError(
            "Margin ratio not meet criteria",
            found=f"a margin ratio of {100 * ratio / WAD:.4f} %",
            needed=f"less than {100 * house.maintenance_margin / WAD:.4f} %",
        )
    if ratio > house.liquidation_fee and 0 < house.partial_liquidation < WAD:
        return _liquidate_part(house, amm, owner, position)
    return _liquidate_all(house, amm, owner, position)


def _liquidate_part(house: House, amm: Amm, owner: Address, position: Position) -> Traded:
    size = mul_d(abs(position.size), house.partial_liquidation)
    quote = amm.get_quote(size, buys=position.size < 0)
    wish = Wish(position.size < 0, quote, WAD)
    step = _reverse(house, amm, position, wish, liquidates=True)
    penalty = mul_d(step.notional, house.liquidation_fee)
    to_liquidator = penalty // 2
    left = replace(step.position, margin=sub_d(step.position.margin, penalty))
    cash = house.get_cash(amm).to_fund(penalty - to_liquidator).paid_out(to_liquidator)
    after = house.with_amm(step.amm).with_position(amm.address, owner, left).with_cash(cash)
    return _traded(after, step, to_liquidator)


def _liquidate_all(house: House, amm: Amm, owner: Address, position: Position) -> Traded:
    step = _close(house, amm, position, liquidates=True)
    left, cash = -step.margin_paid, house.get_cash(amm)
    to_liquidator = mul_d(step.notional, house.liquidation_fee) // 2
    bad_debt = step.bad_debt + max(0, to_liquidator - left)
    left = left - to_liquidator if to_liquidator <= left else left
    if bad_debt:
        cash = cash.with_bad_debt(bad_debt)
    if left:
        cash = cash.to_fund(left)
    cash = cash.paid_out(to_liquidator)
    after = house.with_amm(step.amm).with_position(amm.address, owner, Position()).with_cash(cash)
    return _traded(after, step, to_liquidator)


def _increase(house: House, amm: Amm, old: Position, wish: Wish, notional: int) -> _Step:
    """Mirror of ``internalIncreasePosition``."""
    moved, base = amm.swap_quote(notional, buys=wish.buys, liquidates=False, when=house.when)
    _require_base(wish, base)
    moved = _with_interest(moved, notional)
    size = base if wish.buys else -base
    if amm.max_holding and abs(old.size + size) > amm.max_holding:
        raise PoolRevertError(
            "hit position size upper bound",
            found=f"a position of {abs(old.size + size) / WAD:.6f}",
            needed=f"{amm.max_holding / WAD:.6f} at most",
        )
    margin = div_d(notional, wish.leverage)
    left = get_remaining(amm, old, margin)
    position = Position(old.size + size, left.margin, old.open_notional + notional, amm.premium)
    return _Step(moved, position, size, notional, 0, margin, 0)


def _reverse(house: House, amm: Amm, old: Position, wish: Wish, *, liquidates: bool) -> _Step:
    """Mirror of ``openReversePosition``."""
    notional, worth = wish.notional, get_worth(amm, old)
    if worth.notional <= notional:
        return _close_and_open(house, amm, old, wish)
    moved, base = amm.swap_quote(notional, buys=wish.buys, liquidates=liquidates, when=house.when)
    _require_base(wish, base)
    realised = div_d(mul_d(worth.pnl, base), abs(old.size))
    left = get_remaining(amm, old, realised)
    unrealised = worth.pnl - realised
    rest = worth.notional - notional + (-unrealised if old.size > 0 else unrealised)
    if rest <= 0:
        raise PoolRevertError("value of openNotional <= 0")
    size = base if wish.buys else -base
    position = Position(old.size + size, left.margin, rest, amm.premium)
    return _Step(_with_interest(moved, -notional), position, size, notional, realised, 0, left.bad_debt)


def _close_and_open(house: House, amm: Amm, old: Position, wish: Wish) -> _Step:
    """Mirror of ``closeAndOpenReversePosition``."""
    closed = _close(house, amm, old, liquidates=False)
    if closed.bad_debt:
        raise PoolRevertError(
            "reduce an underwater position", found="the position has lost its margin", todo="Close it"
        )
    rest = sub_d(wish.notional, closed.notional)
    if not div_d(rest, wish.leverage):
        return closed
    limit = max(0, wish.base_limit - abs(closed.size))
    opened = _increase(house, closed.amm, Position(), replace(wish, base_limit=limit), rest)
    return _Step(
        opened.amm,
        opened.position,
        closed.size + opened.size,
        closed.notional + opened.notional,
        closed.realised_pnl,
        closed.margin_paid + opened.margin_paid,
        0,
    )


def _close(house: House, amm: Amm, old: Position, *, liquidates: bool) -> _Step:
    """Mirror of ``internalClosePosition``."""
    require_position(old)
    worth = get_worth(amm, old)
    left = get_remaining(amm, old, worth.pnl)
    moved, notional = amm.swap_base(abs(old.size), buys=old.size < 0, liquidates=liquidates, when=house.when)
    moved = _with_interest(moved, -(worth.pnl + left.bad_debt + old.open_notional))
    return _Step(moved, Position(), -old.size, notional, worth.pnl, -left.margin, left.bad_debt)


def _with_interest(amm: Amm, change: int) -> Amm:
    """Mirror of ``updateOpenInterestNotional``."""
    if not amm.open_interest_cap:
        return amm
    interest = max(0, amm.open_interest + change)
    if change > 0 and interest > amm.open_interest_cap:
        raise PoolRevertError(
            "over limit",
            found=f"an open interest of {interest / WAD:.6f}",
            needed=f"{amm.open_interest_cap / WAD:.6f} at most",
        )
    return replace(amm, open_interest=interest)


def _charge(house: House, step: _Step) -> Traded:
    """Return the trade with its fee, of which the spread goes to the fund. Mirror of ``transferFee``."""
    cash = house.get_cash(step.amm)
    to_fund = cash.to_units(mul_d(step.notional, step.amm.spread))
    house = house.with_cash(replace(cash, in_fund=cash.in_fund + to_fund))
    return _traded(house, step, step.amm.get_fees(step.notional))


def _traded(house: House, step: _Step, fee: int) -> Traded:
    return Traded(house, step.size, step.notional, fee, step.realised_pnl, step.margin_paid, step.bad_debt)


def _require_base(wish: Wish, base: int) -> None:
    limit = wish.base_limit
    if limit and (base < limit if wish.buys else base > limit):
        reason = "Less than minimal base token" if wish.buys else "More than maximal base token"
        raise PoolRevertError(reason, found=f"{base}", needed=f"{limit}")


def _require_amount(amount: int) -> None:
    if amount <= 0:
        raise PoolRevertError("input is 0", found=f"{amount} of margin", needed="more than 0")
