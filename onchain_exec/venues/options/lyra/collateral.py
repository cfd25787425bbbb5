"""What a Lyra short must hold, when it can be liquidated, and what is left of it then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.options.lyra.black_scholes import OptionInputs, get_prices
from onchain_exec.venues.options.lyra.decimal_math import div_wad, mul_wad
from onchain_exec.venues.options.lyra.parameters import (
    CollateralParameters,
    LiquidationParameters,
    Parameters,
)
from onchain_exec.venues.options.lyra.state import OptionType

_REACH: Final = 10**9


@dataclass(frozen=True, slots=True)
class Short:
    """A written option: its terms, how much of it (18 decimals), and what it holds, in base units of the
    base for SHORT_CALL_BASE, else of the quote."""

    option_type: OptionType
    strike_wad: int
    expiry_at: int
    amount: int
    collateral: int


@dataclass(frozen=True, slots=True)
class LiquidationSplit:
    """``OptionToken.LiquidationFees``: who gets what of the collateral, in its base units; what is missing
    is in the quote's."""

    returned: int
    pool_premium: int
    pool_fee: int
    liquidator_fee: int
    security_fee: int
    insolvent: int


def get_collateral_min(short: Short, spot_wad: int, timestamp: int, parameters: Parameters) -> int:
    """Return the least collateral that is not liquidated; mirror of ``OptionGreekCache.getMinCollateral``.

    The option's price at a shocked spot and volatility, no less than a fixed amount, and no more than what
    covers it in full (for SHORT_CALL_QUOTE there is no such amount).
    """
    if short.amount == 0:
        return 0
    rules = parameters.collateral
    shock = rules.call_spot_shock_wad if short.option_type.is_call else rules.put_spot_shock_wad
    shocked = mul_wad(spot_wad, shock)
    seconds = max(short.expiry_at - timestamp, 0)
    vol_wad = get_shock_vol_wad(seconds, rules)
    call, put = get_prices(
        OptionInputs(seconds, vol_wad, shocked, short.strike_wad, parameters.greeks.rate_wad)
    )
    match short.option_type:
        case OptionType.SHORT_CALL_BASE:
            return min(max(div_wad(mul_wad(call, short.amount), shocked), rules.static_base), short.amount)
        case OptionType.SHORT_CALL_QUOTE:
            return max(mul_wad(call, short.amount), rules.static_quote)
        case _:
            in_full = mul_wad(short.amount, short.strike_wad)
            return min(max(mul_wad(put, short.amount), rules.static_quote), in_full)


def get_shock_vol_wad(seconds: int, rules: CollateralParameters) -> int:
    """Return the volatility that collateral is computed with; mirror of ``getShockVol``: level before
    point A and after point B, straight between them, rounded up."""
    if seconds <= rules.shock_vol_a_s:
        return rules.shock_vol_a_wad
    if seconds >= rules.shock_vol_b_s:
        return rules.shock_vol_b_wad
    fall = (rules.shock_vol_a_wad - rules.shock_vol_b_wad) * (seconds - rules.shock_vol_a_s)
    return rules.shock_vol_a_wad - fall // (rules.shock_vol_b_s - rules.shock_vol_a_s)


def can_liquidate(short: Short, spot_wad: int, timestamp: int, parameters: Parameters) -> bool:
    """Say whether anybody may liquidate it; mirror of ``OptionToken.canLiquidate``."""
    return short.collateral < get_collateral_min(short, spot_wad, timestamp, parameters)


def find_liquidation_spot_wad(short: Short, timestamp: int, parameters: Parameters) -> int | None:
    """Return the first spot at which a short can be liquidated: the lowest for a call, the highest for a
    put, between a billionth of the strike and a billion strikes. None if none does it: covered in full."""
    low, high = max(short.strike_wad // _REACH, _REACH), short.strike_wad * _REACH

    def is_safe(spot_wad: int) -> bool:
        return not can_liquidate(short, spot_wad, timestamp, parameters)

    if short.option_type.is_call:
        if not is_safe(low):
            return low
        last_safe = find_largest(is_safe, low, high)
        return None if last_safe == high else last_safe + 1
    return None if is_safe(low) else find_largest(lambda spot_wad: not is_safe(spot_wad), low, high)


def split_liquidation(
    premium: int, collateral: int, min_fee: int, parameters: LiquidationParameters, spot_wad: int = WAD
) -> LiquidationSplit:
    """Return who gets what when a short is closed for ``premium`` out of ``collateral``; mirror of
    ``OptionToken.getLiquidationFees``.

    All are in base units of the collateral; ``spot_wad`` turns what is missing into quote and stays 1
    where the collateral is quote.
    """
    owed, insolvent = premium + min_fee, 0
    if collateral >= owed:
        remaining = collateral - premium
        penalty = max(mul_wad(remaining, parameters.penalty_ratio_wad), min_fee)
        returned = remaining - penalty
    elif collateral >= min_fee:
        penalty, returned = min_fee, 0
        insolvent = mul_wad(owed - collateral, spot_wad)
    else:
        penalty, returned = collateral, 0
        insolvent = mul_wad(premium, spot_wad)
    security = mul_wad(penalty, parameters.security_fee_ratio_wad)
    liquidator = mul_wad(penalty, parameters.liquidator_fee_ratio_wad)
    return LiquidationSplit(
        returned,
        collateral - penalty - returned,
        penalty - security - liquidator,
        liquidator,
        security,
        insolvent,
    )
