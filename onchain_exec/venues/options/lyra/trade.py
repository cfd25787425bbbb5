"""A Lyra order from its parts to what moves: mirrors of ``OptionMarket``, ``OptionToken``'s adjustments and
``LiquidityPool``'s locks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from onchain_exec.core.fixed_point import MAX_UINT128, WAD
from onchain_exec.errors import AmountError, PoolRevertError
from onchain_exec.venues.options.lyra.collateral import (
    LiquidationSplit,
    Short,
    can_liquidate,
    get_collateral_min,
    split_liquidation,
)
from onchain_exec.venues.options.lyra.decimal_math import div_wad, div_wad_round, mul_wad, mul_wad_round
from onchain_exec.venues.options.lyra.pricer import Direction, Priced, Trade, price_trade
from onchain_exec.venues.options.lyra.state import Board, LyraState, OptionType, Strike


@dataclass(frozen=True, slots=True)
class Holding:
    """What a position holds before an order: its number (0: a new one), amount and collateral."""

    position_id: int = 0
    amount: int = 0
    collateral: int = 0


@dataclass(frozen=True, slots=True)
class LyraOrder:
    """``TradeInputParameters`` without the bounds: ``amount`` (18 decimals) in ``iterations`` equal parts,
    each priced after the one before it; ``collateral_to`` is what a short holds afterwards."""

    strike_id: int
    option_type: OptionType
    direction: Direction
    amount: int
    holding: Holding = Holding()
    collateral_to: int = 0
    iterations: int = 1


@dataclass(frozen=True, slots=True)
class Traded:
    """``OptionMarket.Result`` and what leaves the trader, negative if it arrives: ``quote_paid`` and
    ``base_paid``, premium and collateral together."""

    parts: tuple[Priced, ...]
    cost: int
    fee: int
    fee_reserved: int
    quote_paid: int
    base_paid: int
    left: Holding


def trade(state: LyraState, order: LyraOrder) -> Traded:
    """Return what ``openPosition``, ``closePosition`` or ``forceClosePosition`` does.

    Raises:
        AmountError: a negative amount, or one beyond uint128.
        PoolRevertError: the contracts would revert.
    """
    if not 0 <= order.amount <= MAX_UINT128:
        raise AmountError(f"{order.amount} contracts", needed="0 to 2**128-1 units of 1e-18")
    board, strike = state.find_strike(order.strike_id)
    parts = tuple(_run_parts(state, board, strike, order))
    cost, fee = sum(part.cost for part in parts), sum(part.fee for part in parts)
    reserved = mul_wad(fee, state.parameters.fee_reserved_wad)
    left, collateral_paid = _adjust(state, board, strike, order, cost)
    if order.amount:
        _check_pool(state, strike, order, cost + reserved)
    quote, base = _route(order, cost, collateral_paid)
    return Traded(parts, cost, fee, reserved, quote, base, left)


def liquidate(state: LyraState, order: LyraOrder) -> tuple[Priced, LiquidationSplit]:
    """Return what ``liquidatePosition`` does with the whole of ``order``'s holding.

    Raises:
        PoolRevertError: the contracts would revert; PositionNotLiquidatable if it holds enough.
    """
    board, strike = state.find_strike(order.strike_id)
    (priced,) = _run_parts(state, board, strike, order)
    short = Short(
        order.option_type, strike.price_wad, board.expiry_at, order.holding.amount, order.holding.collateral
    )
    if order.option_type.is_long or not can_liquidate(
        short, state.spot_wad, state.timestamp, state.parameters
    ):
        least = 0 if order.option_type.is_long else _get_least(state, short)
        raise PoolRevertError(
            "PositionNotLiquidatable",
            found=f"the position holds {order.holding.collateral}",
            needed=f"a short that holds less than {least}",
        )
    rules, spot = state.parameters.liquidation, state.spot_wad
    if order.option_type is not OptionType.SHORT_CALL_BASE:
        return priced, split_liquidation(priced.cost, order.holding.collateral, rules.min_fee, rules)
    after_fee = div_wad_round(priced.cost, WAD - state.liquidity.base_quote_fee_wad)
    premium, min_fee = div_wad_round(after_fee, spot), div_wad(rules.min_fee, spot)
    return priced, split_liquidation(premium, order.holding.collateral, min_fee, rules, spot)


def _run_parts(state: LyraState, board: Board, strike: Strike, order: LyraOrder) -> Iterator[Priced]:
    """Price the parts one after the other; mirror of ``_doTrade``."""
    if order.iterations < 1:
        raise PoolRevertError("ExpectedNonZeroValue", found="0 iterations", needed="at least 1")
    each = order.amount // order.iterations
    if each == 0:
        if order.amount:
            raise PoolRevertError(
                "TradeIterationsHasRemainder",
                found=f"{order.amount} units in {order.iterations} iterations",
                needed="at least one unit in each",
            )
        return
    _check_board(state, board)
    for number in range(order.iterations):
        amount = each if number < order.iterations - 1 else order.amount - each * number
        _check_open_amount(strike, order, each * number + amount)
        priced = price_trade(state, board, strike, Trade(order.option_type, order.direction, amount))
        yield priced
        board = replace(board, iv_wad=priced.iv_wad)
        strike = replace(strike, skew_wad=priced.skew_wad)
        state = replace(state, net_std_vega_wad=priced.net_std_vega_wad)


def _check_board(state: LyraState, board: Board) -> None:
    if board.is_frozen:
        raise PoolRevertError(
            "BoardIsFrozen", found=f"board {board.board_id} is frozen", needed="one that trades"
        )
    if state.timestamp >= board.expiry_at:
        raise PoolRevertError(
            "BoardExpired",
            found=f"board {board.board_id} expired {state.timestamp - board.expiry_at} s ago",
            needed="a time before its expiry",
            todo="Settle the board, then the position",
        )


def _check_open_amount(strike: Strike, order: LyraOrder, closed: int) -> None:
    opened = strike.open_amounts[order.option_type]
    if order.direction is not Direction.OPEN and closed > opened:
        raise PoolRevertError(
            "SafeCast: value must be positive",
            found=f"{closed} to close",
            needed=f"at most the {opened} that all traders have open",
        )


def _adjust(
    state: LyraState, board: Board, strike: Strike, order: LyraOrder, cost: int
) -> tuple[Holding, int]:
    """Return what the position holds afterwards and what collateral the trader pays; mirror of
    ``OptionToken.adjustPosition``."""
    before, opens = order.holding, order.direction is Direction.OPEN
    if before.position_id == 0 and not (opens and order.amount):
        raise PoolRevertError(
            "CannotOpenZeroAmount" if opens else "CannotClosePositionZero",
            found=f"{'open' if opens else 'close'} {order.amount} of no position",
            needed="an amount to open, or a position",
        )
    if not opens and order.amount > before.amount:
        raise PoolRevertError(
            "Panic", found=f"close {order.amount}", needed=f"at most the position's {before.amount}"
        )
    amount = before.amount + order.amount if opens else before.amount - order.amount
    quote_held = order.option_type in (OptionType.SHORT_CALL_QUOTE, OptionType.SHORT_PUT_QUOTE)
    if amount == 0:
        if order.collateral_to:
            raise PoolRevertError(
                "FullyClosingWithNonZeroSetCollateral",
                found=f"collateral_to = {order.collateral_to}",
                needed="0 when all is closed",
            )
        return Holding(before.position_id), (cost if quote_held else 0) - before.collateral
    if order.option_type.is_long:
        return Holding(before.position_id, amount), 0
    held = before.collateral
    if quote_held:
        held += cost if opens else -cost
        if held < 0:
            raise PoolRevertError(
                "Panic",
                found=f"the close costs {cost}",
                needed=f"at most the collateral of {before.collateral}",
            )
    short = Short(order.option_type, strike.price_wad, board.expiry_at, amount, order.collateral_to)
    if (least := _get_least(state, short)) > order.collateral_to:
        raise PoolRevertError(
            "AdjustmentResultsInMinimumCollateralNotBeingMet",
            found=f"collateral of {order.collateral_to} for {amount}",
            needed=f"at least {least}",
            todo="Post more collateral, or write less",
        )
    return Holding(before.position_id, amount, order.collateral_to), order.collateral_to - held


def _get_least(state: LyraState, short: Short) -> int:
    return get_collateral_min(short, state.spot_wad, state.timestamp, state.parameters)


def _check_pool(state: LyraState, strike: Strike, order: LyraOrder, paid_out: int) -> None:
    """Refuse what the pool cannot lock or pay; mirrors of ``lockBase``, ``lockQuote``,
    ``sendShortPremium``."""
    pool = state.liquidity
    if order.direction is not Direction.OPEN:
        sells_base = order.option_type is OptionType.LONG_CALL and pool.base_balance > 0
        if order.option_type.is_long and paid_out > pool.quote_balance and not sells_base:
            raise PoolRevertError(
                "ERC20: transfer amount exceeds balance",
                found=f"the pool holds {pool.quote_balance}",
                needed=f"{paid_out} of the quote",
            )
        return
    match order.option_type:
        case OptionType.LONG_CALL:
            lacking = pool.base_locked + order.amount - pool.base_balance
            needed = _get_cost_of_base(state, max(lacking, 0))
            dear = pool.quote_base_fee_wad > state.parameters.max_spot_fee_wad
            reason = "InsufficientFreeLiquidityForBaseExchange" if dear else "QuoteBaseExchangeExceedsLimit"
        case OptionType.LONG_PUT:
            needed, reason = mul_wad(order.amount, strike.price_wad), "LockingMoreQuoteThanIsFree"
        case _:
            needed, reason = paid_out, "SendPremiumNotEnoughCollateral"
    if needed > pool.free:
        raise PoolRevertError(
            reason,
            found=f"the pool has {pool.free} free",
            needed=f"{needed} of the quote",
            todo="Trade less, or wait until liquidity is free",
        )


def _get_cost_of_base(state: LyraState, amount: int) -> int:
    """Return the quote that buys base; mirror of ``SynthetixAdapter.estimateExchangeToExactBase``."""
    grossed = div_wad_round(amount, WAD - state.liquidity.quote_base_fee_wad)
    return mul_wad_round(grossed, state.spot_wad)


def _route(order: LyraOrder, cost: int, collateral_paid: int) -> tuple[int, int]:
    """Return quote and base that leave the trader: premium of longs and of shorts that hold base, and
    collateral. Shorts that hold quote take and pay their premium inside the collateral."""
    paid = cost if order.direction is Direction.OPEN else -cost
    match order.option_type:
        case OptionType.LONG_CALL | OptionType.LONG_PUT:
            return paid, 0
        case OptionType.SHORT_CALL_BASE:
            return -paid, collateral_paid
        case _:
            return collateral_paid, 0
