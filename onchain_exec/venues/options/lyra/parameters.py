"""The parameters of Lyra's contracts, field by field in their order; ``_wad`` has 18 decimals."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PricingParameters:
    """``OptionMarketPricer.PricingParameters``: fees, by how far expiry is, and what a trade moves."""

    option_price_fee_wad: int
    option_price_fee_1x_s: int
    option_price_fee_2x_s: int
    spot_price_fee_wad: int
    spot_price_fee_1x_s: int
    spot_price_fee_2x_s: int
    vega_fee_wad: int
    standard_size_wad: int
    skew_adjustment_wad: int


@dataclass(frozen=True, slots=True)
class TradeLimits:
    """``OptionMarketPricer.TradeLimitParameters``."""

    min_delta_wad: int
    min_force_close_delta_wad: int
    trading_cutoff_s: int
    min_base_iv_wad: int
    max_base_iv_wad: int
    min_skew_wad: int
    max_skew_wad: int
    min_vol_wad: int
    max_vol_wad: int
    abs_min_skew_wad: int
    abs_max_skew_wad: int
    cap_skews_to_abs: bool


@dataclass(frozen=True, slots=True)
class VarianceFees:
    """``OptionMarketPricer.VarianceFeeParameters``."""

    default_wad: int
    force_close_wad: int
    skew_adjustment_wad: int
    reference_skew_wad: int
    minimum_skew_adjustment_wad: int
    vega_wad: int
    minimum_vega_wad: int
    iv_variance_wad: int
    minimum_iv_variance_wad: int


@dataclass(frozen=True, slots=True)
class GreekParameters:
    """What of ``OptionGreekCache.GreekCacheParameters`` a trade uses: over which time the board's
    volatility is averaged, and the rate."""

    variance_iv_period_s: int
    rate_wad: int


@dataclass(frozen=True, slots=True)
class ForceCloseParameters:
    """``OptionGreekCache.ForceCloseParameters``: what a forced close or a liquidation multiplies the
    volatility with, and the least price in parts of the spot."""

    iv_period_s: int
    skew_period_s: int
    short_shock_wad: int
    short_post_cutoff_shock_wad: int
    long_shock_wad: int
    long_post_cutoff_shock_wad: int
    liquidate_shock_wad: int
    liquidate_post_cutoff_shock_wad: int
    short_spot_min_wad: int
    liquidate_spot_min_wad: int


@dataclass(frozen=True, slots=True)
class CollateralParameters:
    """``OptionGreekCache.MinCollateralParameters``: what a short must at least hold."""

    static_quote: int
    static_base: int
    shock_vol_a_wad: int
    shock_vol_a_s: int
    shock_vol_b_wad: int
    shock_vol_b_s: int
    call_spot_shock_wad: int
    put_spot_shock_wad: int


@dataclass(frozen=True, slots=True)
class LiquidationParameters:
    """``OptionToken.PartialCollateralParameters``: what a liquidation takes of what is left."""

    penalty_ratio_wad: int
    liquidator_fee_ratio_wad: int
    security_fee_ratio_wad: int
    min_fee: int


@dataclass(frozen=True, slots=True)
class Parameters:
    """All of them, with the share of fees that the protocol keeps, the fee on base that shorts settle at,
    and the highest spot fee that the pool pays."""

    pricing: PricingParameters
    limits: TradeLimits
    variance: VarianceFees
    greeks: GreekParameters
    force_close: ForceCloseParameters
    collateral: CollateralParameters
    liquidation: LiquidationParameters
    fee_reserved_wad: int
    settlement_fee_wad: int
    max_spot_fee_wad: int
