"""What a Lyra trade costs: mirrors of ``OptionMarketPricer`` and of the prices of ``OptionGreekCache``.

A trade first moves the board's volatility and the strike's skew, then is priced at the moved volatility.
The averages (GWAV) that the variance fee and forced closes look at do not depend on what a trade writes
in its own block.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.options.lyra.black_scholes import OptionInputs, OptionValues, get_prices, get_values
from onchain_exec.venues.options.lyra.decimal_math import div_wad, mul_wad
from onchain_exec.venues.options.lyra.state import Board, LyraState, OptionType, Strike


class Direction(Enum):
    """``OptionMarket.TradeDirection``; a forced close ignores the limits of volatility and is penalised."""

    OPEN = "open"
    CLOSE = "close"
    FORCE_CLOSE = "force close"
    LIQUIDATE = "liquidate"

    @property
    def is_forced(self) -> bool:
        """Whether the price is that of forced closes."""
        return self in (Direction.FORCE_CLOSE, Direction.LIQUIDATE)


@dataclass(frozen=True, slots=True)
class Trade:
    """``amount`` (18 decimals) of an option type; one of the equal parts that an order is made in."""

    option_type: OptionType
    direction: Direction
    amount: int

    @property
    def is_buy(self) -> bool:
        """Whether the trader buys from the pool: opens a long or closes a short."""
        return self.option_type.is_long == (self.direction is Direction.OPEN)


@dataclass(frozen=True, slots=True)
class Priced:
    """``TradeResult``: amounts in base units of the quote, and the volatilities that the trade leaves."""

    premium: int
    option_price_fee: int
    spot_price_fee: int
    vega_fee: int
    variance_fee: int
    fee: int
    cost: int
    vol_wad: int
    iv_wad: int
    skew_wad: int
    net_std_vega_wad: int


def price_trade(state: LyraState, board: Board, strike: Strike, trade: Trade) -> Priced:
    """Price one part of an order; mirror of ``updateCacheAndGetTradeResult``.

    Raises:
        PoolRevertError: the trade is outside what the pricer allows; ``reason`` is its error's name.
    """
    iv, skew = _move_vol(state, board, strike, trade)
    limits = state.parameters.limits
    is_late = state.timestamp + limits.trading_cutoff_s > board.expiry_at
    if trade.direction.is_forced:
        iv = board.iv_wad
        _check_forced_skew(state, trade, skew)
    else:
        _check_cutoff(state, board, is_late)
        _check_vol(state, trade, iv, skew)
    if limits.cap_skews_to_abs:
        skew = max(min(skew, limits.abs_max_skew_wad), limits.abs_min_skew_wad)
    vol = mul_wad(iv, skew)
    inputs = OptionInputs(
        max(board.expiry_at - state.timestamp, 0),
        vol,
        state.spot_wad,
        strike.price_wad,
        state.parameters.greeks.rate_wad,
    )
    values = get_values(inputs)
    price = values.call_wad if trade.option_type.is_call else values.put_wad
    if trade.direction.is_forced:
        price, vol = price_forced(state, board, strike, trade, mul_wad(iv, skew))
    _check_delta(state, trade, values.call_delta_wad, is_late)
    return _charge(state, board, strike, trade, _Pricing(price, vol, iv, skew, values))


@dataclass(frozen=True, slots=True)
class _Pricing:
    price_wad: int
    vol_wad: int
    iv_wad: int
    skew_wad: int
    values: OptionValues


def _move_vol(state: LyraState, board: Board, strike: Strike, trade: Trade) -> tuple[int, int]:
    """Return the board's volatility and the strike's skew after the trade; ``ivImpactForTrade``."""
    rules = state.parameters.pricing
    iv_move = div_wad(trade.amount, rules.standard_size_wad) // 100
    skew_move = mul_wad(iv_move, rules.skew_adjustment_wad)
    if trade.is_buy:
        return board.iv_wad + iv_move, strike.skew_wad + skew_move
    if iv_move > board.iv_wad or skew_move > strike.skew_wad:
        raise PoolRevertError(
            "Panic",
            found=f"the trade lowers the volatility by {iv_move}, the skew by {skew_move}",
            needed=f"at most {board.iv_wad} and {strike.skew_wad}",
            todo="Sell less",
        )
    return board.iv_wad - iv_move, strike.skew_wad - skew_move


def price_forced(
    state: LyraState, board: Board, strike: Strike, trade: Trade, new_vol_wad: int
) -> tuple[int, int]:
    """Return price and volatility of a forced close or a liquidation; mirror of ``getPriceForForceClose``."""
    rules = state.parameters.force_close
    is_late = state.timestamp + state.parameters.limits.trading_cutoff_s > board.expiry_at
    vol = mul_wad(board.force_close_iv_gwav_wad, strike.skew_gwav_wad)
    if trade.direction is Direction.LIQUIDATE:
        shock = rules.liquidate_post_cutoff_shock_wad if is_late else rules.liquidate_shock_wad
    elif trade.is_buy:
        vol = max(vol, new_vol_wad)
        shock = rules.short_post_cutoff_shock_wad if is_late else rules.short_shock_wad
    else:
        vol = min(vol, new_vol_wad)
        shock = rules.long_post_cutoff_shock_wad if is_late else rules.long_shock_wad
    vol = mul_wad(vol, shock)
    seconds = max(board.expiry_at - state.timestamp, 0)
    call, put = get_prices(
        OptionInputs(seconds, vol, state.spot_wad, strike.price_wad, state.parameters.greeks.rate_wad)
    )
    price = call if trade.option_type.is_call else put
    if trade.is_buy:
        liquidates = trade.direction is Direction.LIQUIDATE
        least = rules.liquidate_spot_min_wad if liquidates else rules.short_spot_min_wad
        beyond = state.spot_wad - strike.price_wad
        parity = max(beyond if trade.option_type.is_call else -beyond, 0)
        price = max(price, parity + mul_wad(state.spot_wad, least))
    return price, vol


def _charge(state: LyraState, board: Board, strike: Strike, trade: Trade, pricing: _Pricing) -> Priced:
    """Add the fees; mirror of ``getTradeResult``."""
    rules, seconds = state.parameters.pricing, board.expiry_at - state.timestamp
    premium = mul_wad(pricing.price_wad, trade.amount)
    option_rate = _weigh(
        rules.option_price_fee_wad, seconds, rules.option_price_fee_1x_s, rules.option_price_fee_2x_s
    )
    spot_rate = _weigh(
        rules.spot_price_fee_wad, seconds, rules.spot_price_fee_1x_s, rules.spot_price_fee_2x_s
    )
    bought = trade.amount if trade.is_buy else -trade.amount
    net_std_vega = state.net_std_vega_wad + mul_wad(bought, strike.std_vega_wad)
    fees = (
        mul_wad(option_rate, premium),
        mul_wad(mul_wad(spot_rate, state.spot_wad), trade.amount),
        _get_vega_fee(state, trade, pricing.vol_wad, net_std_vega),
        _get_variance_fee(state, board, trade, pricing),
    )
    fee = sum(fees) if trade.is_buy else min(sum(fees), premium)
    cost = premium + fee if trade.is_buy else premium - fee
    return Priced(
        premium,
        *fees,
        fee,
        cost,
        pricing.vol_wad,
        pricing.iv_wad,
        pricing.skew_wad,
        net_std_vega,
    )


def _weigh(rate_wad: int, seconds: int, single_s: int, double_s: int) -> int:
    """Return a fee's rate by the time to expiry; mirror of ``getTimeWeightedFee``."""
    if seconds <= single_s:
        return rate_wad
    return mul_wad(rate_wad, WAD + (seconds - single_s) * WAD // (double_s - single_s))


def _get_vega_fee(state: LyraState, trade: Trade, vol_wad: int, net_std_vega_wad: int) -> int:
    """Charge for vega that the pool gets more of; mirror of ``getVegaUtilFee``."""
    if abs(state.net_std_vega_wad) >= abs(net_std_vega_wad):
        return 0
    used = div_wad(mul_wad(vol_wad, abs(net_std_vega_wad)), state.liquidity.nav)
    return mul_wad(mul_wad(state.parameters.pricing.vega_fee_wad, used), trade.amount)


def _get_variance_fee(state: LyraState, board: Board, trade: Trade, pricing: _Pricing) -> int:
    """Charge for volatility that is far from its average; mirror of ``getVarianceFee``."""
    rules = state.parameters.variance
    rate = rules.force_close_wad if trade.direction.is_forced else rules.default_wad
    vega = rules.minimum_vega_wad + mul_wad(pricing.values.vega_wad, rules.vega_wad)
    off_skew = abs(pricing.skew_wad - rules.reference_skew_wad)
    skew = rules.minimum_skew_adjustment_wad + mul_wad(off_skew, rules.skew_adjustment_wad)
    variance = rules.minimum_iv_variance_wad + mul_wad(
        board.get_variance_wad(pricing.iv_wad), rules.iv_variance_wad
    )
    return mul_wad(mul_wad(mul_wad(mul_wad(rate, vega), skew), variance), trade.amount)


def _check_cutoff(state: LyraState, board: Board, is_late: bool) -> None:
    if is_late:
        raise PoolRevertError(
            "TradingCutoffReached",
            found=f"{board.expiry_at - state.timestamp} s to expiry",
            needed=f"at least {state.parameters.limits.trading_cutoff_s} s",
            todo="A close can be forced",
        )


def _check_vol(state: LyraState, trade: Trade, iv: int, skew: int) -> None:
    limits, vol = state.parameters.limits, mul_wad(iv, skew)
    found = (vol, iv, skew)
    if trade.is_buy:
        bounds = (limits.max_vol_wad, limits.max_base_iv_wad, limits.max_skew_wad)
        outside = any(value > bound for value, bound in zip(found, bounds, strict=True))
    else:
        bounds = (limits.min_vol_wad, limits.min_base_iv_wad, limits.min_skew_wad)
        outside = any(value < bound for value, bound in zip(found, bounds, strict=True))
    if outside:
        raise PoolRevertError(
            "VolSkewOrBaseIvOutsideOfTradingBounds",
            found=f"the trade moves volatility, board and skew to {found} / 1e18",
            needed=f"at {'most' if trade.is_buy else 'least'} {bounds}",
            todo="Trade less, or another strike",
        )


def _check_forced_skew(state: LyraState, trade: Trade, skew: int) -> None:
    limits = state.parameters.limits
    if trade.direction is Direction.FORCE_CLOSE and not (
        limits.abs_min_skew_wad < skew < limits.abs_max_skew_wad
    ):
        raise PoolRevertError(
            "ForceCloseSkewOutOfRange",
            found=f"the close moves the skew to {skew} / 1e18",
            needed=f"between {limits.abs_min_skew_wad} and {limits.abs_max_skew_wad}",
            todo="Close less at a time",
        )


def _check_delta(state: LyraState, trade: Trade, delta: int, is_late: bool) -> None:
    limits = state.parameters.limits
    least = limits.min_delta_wad
    if not trade.direction.is_forced and not least <= delta <= WAD - least:
        raise PoolRevertError(
            "TradeDeltaOutOfRange",
            found=f"the call's delta is {delta} / 1e18",
            needed=f"between {least} and {WAD - least}",
            todo="A close can be forced; to open, take another strike",
        )
    least = limits.min_force_close_delta_wad
    if trade.direction is Direction.FORCE_CLOSE and not is_late and least < delta < WAD - least:
        raise PoolRevertError(
            "ForceCloseDeltaOutOfRange",
            found=f"the call's delta is {delta} / 1e18",
            needed=f"at most {least} or at least {WAD - least}",
            todo="Close it without force",
        )
