"""What a Lyra position is worth when its board has settled: mirror of ``ShortCollateral.settleOptions``."""

from __future__ import annotations

from dataclasses import dataclass

from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.options.lyra.decimal_math import div_wad, mul_wad
from onchain_exec.venues.options.lyra.state import OptionType


@dataclass(frozen=True, slots=True)
class SettlementTerms:
    """``getSettlementParameters`` of a strike: its price, the spot its board settled at (0: not yet), and
    the share of each call's base that goes to the pool; 18 decimals. And its expiry."""

    expiry_at: int
    strike_wad: int
    price_wad: int
    base_returned_wad: int


def expect_terms(strike_wad: int, expiry_at: int, spot_wad: int, settlement_fee_wad: int) -> SettlementTerms:
    """Return the terms that settling the board at a spot would fix; mirror of ``_settleExpiredBoard``."""
    returned = 0
    if spot_wad > strike_wad:
        share = div_wad(spot_wad - strike_wad, spot_wad)
        returned = min(div_wad(share, WAD - settlement_fee_wad), WAD)
    return SettlementTerms(expiry_at, strike_wad, spot_wad, returned)


def settle(option_type: OptionType, amount: int, collateral: int, terms: SettlementTerms) -> tuple[int, int]:
    """Return what the owner gets and what the collateral lacks, in base units of the base for
    SHORT_CALL_BASE, else of the quote.

    What longs get is paid out of the pool's reserve, which rounding may leave some units short: they get
    less by that.

    Raises:
        PoolRevertError: the board is not settled.
    """
    if terms.price_wad == 0:
        raise PoolRevertError(
            "BoardMustBeSettled",
            found="the board has no settlement price",
            needed="its expiry, then settleExpiredBoard",
        )
    beyond = terms.price_wad - terms.strike_wad
    profit = mul_wad(max(beyond if option_type.is_call else -beyond, 0), amount)
    if option_type.is_long:
        return profit, 0
    if option_type is OptionType.SHORT_CALL_BASE:
        profit = mul_wad(terms.base_returned_wad, amount)
    return max(collateral - profit, 0), max(profit - collateral, 0)
