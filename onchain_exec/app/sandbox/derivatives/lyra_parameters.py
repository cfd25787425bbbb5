"""The parameters of Lyra's own test system: ``dist/test/utils/defaultParams.js`` of @lyrafinance/protocol."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from onchain_exec.core import ZERO_ADDRESS, Address
from onchain_exec.core.fixed_point import MAX_UINT256

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
SECURITY_MODULE: Final = Address("0x" + "efee" * 10)


def wad(text: str) -> int:
    """Return a decimal number in units of 1e-18."""
    return int(Decimal(text) * 10**18)


PARAMETERS: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "OptionMarket",
        "setOptionMarketParams",
        {
            "securityModule": SECURITY_MODULE,
            "feePortionReserved": wad("0.1"),
            "maxBoardExpiry": 365 * DAY,
            "staticBaseSettlementFee": wad("0.0075"),
        },
    ),
    (
        "LiquidityPool",
        "setLiquidityPoolParameters",
        {
            "minDepositWithdraw": wad("1"),
            "depositDelay": WEEK,
            "withdrawalDelay": WEEK,
            "withdrawalFee": wad("0.01"),
            "liquidityCBThreshold": wad("0.01"),
            "liquidityCBTimeout": 3 * DAY,
            "ivVarianceCBThreshold": wad("0.1"),
            "skewVarianceCBThreshold": wad("0.35"),
            "ivVarianceCBTimeout": 12 * HOUR,
            "skewVarianceCBTimeout": 12 * HOUR,
            "guardianMultisig": ZERO_ADDRESS,
            "guardianDelay": 2 * WEEK,
            "boardSettlementCBTimeout": 6 * HOUR,
            "maxFeePaid": wad("0.01"),
        },
    ),
    ("ShortPoolHedger", "setPoolHedgerParams", {"interactionDelay": DAY, "hedgeCap": MAX_UINT256}),
    (
        "OptionGreekCache",
        "setGreekCacheParameters",
        {
            "maxStrikesPerBoard": 30,
            "acceptableSpotPricePercentMove": wad("0.05"),
            "staleUpdateDuration": 3 * HOUR,
            "varianceIvGWAVPeriod": DAY,
            "varianceSkewGWAVPeriod": 3 * DAY,
            "optionValueIvGWAVPeriod": DAY,
            "optionValueSkewGWAVPeriod": 3 * DAY,
            "gwavSkewFloor": wad("0.5"),
            "gwavSkewCap": wad("2"),
            "rateAndCarry": wad("0.05"),
        },
    ),
    (
        "OptionGreekCache",
        "setMinCollateralParameters",
        {
            "minStaticBaseCollateral": wad("0.2"),
            "minStaticQuoteCollateral": wad("200"),
            "shockVolA": wad("2.5"),
            "shockVolPointA": 2 * WEEK,
            "shockVolB": wad("1.8"),
            "shockVolPointB": 8 * WEEK,
            "callSpotPriceShock": wad("1.2"),
            "putSpotPriceShock": wad("0.8"),
        },
    ),
    (
        "OptionGreekCache",
        "setForceCloseParameters",
        {
            "ivGWAVPeriod": 12 * HOUR,
            "skewGWAVPeriod": DAY,
            "shortVolShock": wad("1.2"),
            "shortPostCutoffVolShock": wad("1.4"),
            "longVolShock": wad("0.8"),
            "longPostCutoffVolShock": wad("0.5"),
            "liquidateVolShock": wad("1.3"),
            "liquidatePostCutoffVolShock": wad("1.6"),
            "shortSpotMin": wad("0.01"),
            "liquidateSpotMin": wad("0.02"),
        },
    ),
    (
        "OptionMarketPricer",
        "setPricingParams",
        {
            "optionPriceFeeCoefficient": wad("0.01"),
            "optionPriceFee1xPoint": 6 * WEEK,
            "optionPriceFee2xPoint": 16 * WEEK,
            "spotPriceFeeCoefficient": wad("0.01"),
            "spotPriceFee1xPoint": 6 * WEEK,
            "spotPriceFee2xPoint": 12 * WEEK,
            "vegaFeeCoefficient": wad("100"),
            "standardSize": wad("5"),
            "skewAdjustmentFactor": wad("0.75"),
        },
    ),
    (
        "OptionMarketPricer",
        "setTradeLimitParams",
        {
            "maxBaseIV": wad("2"),
            "maxSkew": wad("1.5"),
            "minBaseIV": wad("0.35"),
            "minSkew": wad("0.5"),
            "minDelta": wad("0.15"),
            "minForceCloseDelta": wad("0.25"),
            "minVol": wad("0.55"),
            "maxVol": wad("3"),
            "tradingCutoff": DAY // 2,
            "absMaxSkew": wad("5"),
            "absMinSkew": wad("0.15"),
            "capSkewsToAbs": False,
        },
    ),
    (
        "OptionMarketPricer",
        "setVarianceFeeParams",
        {
            "defaultVarianceFeeCoefficient": wad("0.25"),
            "forceCloseVarianceFeeCoefficient": wad("0.25"),
            "skewAdjustmentCoefficient": wad("3"),
            "referenceSkew": wad("1"),
            "minimumStaticSkewAdjustment": wad("1"),
            "vegaCoefficient": wad("0.01"),
            "minimumStaticVega": 0,
            "ivVarianceCoefficient": wad("1.5"),
            "minimumStaticIvVariance": wad("1"),
        },
    ),
    (
        "OptionToken",
        "setPartialCollateralParams",
        {
            "penaltyRatio": wad("0.2"),
            "liquidatorFeeRatio": wad("0.4"),
            "smFeeRatio": wad("0.3"),
            "minLiquidationFee": wad("15"),
        },
    ),
)
