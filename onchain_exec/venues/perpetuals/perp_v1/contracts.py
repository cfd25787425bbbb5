"""The functions of v1's contracts that are asked or called. Decimals are structs of one word."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import Function

_UINT: Final = "(uint256)"

# ClearingHouse
PAUSED: Final = Function("paused()", "(bool)")
INSURANCE_FUND: Final = Function("insuranceFund()", "(address)")
INIT_MARGIN_RATIO: Final = Function("initMarginRatio()", _UINT)
MAINTENANCE_MARGIN_RATIO: Final = Function("maintenanceMarginRatio()", _UINT)
LIQUIDATION_FEE_RATIO: Final = Function("liquidationFeeRatio()", _UINT)
PARTIAL_LIQUIDATION_RATIO: Final = Function("partialLiquidationRatio()", _UINT)
OPEN_INTEREST: Final = Function("openInterestNotionalMap(address)", _UINT)
GET_POSITION: Final = Function(
    "getUnadjustedPosition(address,address)", "(int256,uint256,uint256,int256,uint256,uint256)"
)
GET_PREMIUM: Final = Function("getLatestCumulativePremiumFraction(address)", "(int256)")
OPEN_POSITION: Final = Function("openPosition(address,uint8,(uint256),(uint256),(uint256))")
CLOSE_POSITION: Final = Function("closePosition(address,(uint256))")
ADD_MARGIN: Final = Function("addMargin(address,(uint256))")
REMOVE_MARGIN: Final = Function("removeMargin(address,(uint256))")
PAY_FUNDING: Final = Function("payFunding(address)")
LIQUIDATE: Final = Function("liquidate(address,address)")

# InsuranceFund
GET_ALL_AMMS: Final = Function("getAllAmms()", "(address[])")

# Amm
QUOTE_ASSET: Final = Function("quoteAsset()", "(address)")
OPEN: Final = Function("open()", "(bool)")
PRICE_FEED: Final = Function("priceFeed()", "(address)")
PRICE_FEED_KEY: Final = Function("priceFeedKey()", "(bytes32)")
SNAPSHOT_LENGTH: Final = Function("getSnapshotLen()", _UINT)
SNAPSHOTS: Final = Function("reserveSnapshots(uint256)", "(uint256,uint256,uint256,uint256)")
LIQUIDITY_HISTORY: Final = Function("getLiquidityHistoryLength()", _UINT)
BASE_DELTA: Final = Function("getBaseAssetDelta()", "(int256)")
AMM_NUMBERS: Final = tuple(
    Function(f"{name}()", _UINT)
    for name in (
        "quoteAssetReserve",
        "baseAssetReserve",
        "tradeLimitRatio",
        "fluctuationLimitRatio",
        "tollRatio",
        "spreadRatio",
        "getMaxHoldingBaseAsset",
        "getOpenInterestNotionalCap",
        "fundingPeriod",
        "fundingBufferPeriod",
        "nextFundingTime",
        "spotPriceTwapInterval",
    )
)

# L2PriceFeed
FEED_LENGTH: Final = Function("getPriceFeedLength(bytes32)", _UINT)
PREVIOUS_PRICE: Final = Function("getPreviousPrice(bytes32,uint256)", _UINT)
PREVIOUS_TIME: Final = Function("getPreviousTimestamp(bytes32,uint256)", _UINT)
