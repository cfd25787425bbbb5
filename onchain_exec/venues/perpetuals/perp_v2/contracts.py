"""The functions of Curie's contracts that are asked or called."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import Function


def _getter(name: str, kind: str, arguments: str = "()") -> Function:
    return Function(f"{name}{arguments}", f"({kind})")


_OF_ONE: Final = "(address)"
_OF_TWO: Final = "(address,address)"

# ClearingHouse
GET_CONFIG: Final = _getter("getClearingHouseConfig", "address")
GET_VAULT: Final = _getter("getVault", "address")
GET_EXCHANGE: Final = _getter("getExchange", "address")
GET_ORDER_BOOK: Final = _getter("getOrderBook", "address")
GET_ACCOUNT_BALANCE: Final = _getter("getAccountBalance", "address")
GET_INSURANCE_FUND: Final = _getter("getInsuranceFund", "address")
PAUSED: Final = _getter("paused", "bool")
OPEN_POSITION: Final = Function(
    "openPosition((address,bool,bool,uint256,uint256,uint256,uint160,bytes32))", "(uint256,uint256)"
)
CLOSE_POSITION: Final = Function(
    "closePosition((address,uint160,uint256,uint256,bytes32))", "(uint256,uint256)"
)
ADD_LIQUIDITY: Final = Function(
    "addLiquidity((address,uint256,uint256,int24,int24,uint256,uint256,bool,uint256))",
    "((uint256,uint256,uint256,uint256))",
)
REMOVE_LIQUIDITY: Final = Function(
    "removeLiquidity((address,int24,int24,uint128,uint256,uint256,uint256))", "((uint256,uint256,uint256))"
)
LIQUIDATE: Final = Function("liquidate(address,address,int256)")
CANCEL_ALL_EXCESS_ORDERS: Final = Function("cancelAllExcessOrders(address,address)")

# ClearingHouseConfig
GET_IM_RATIO: Final = _getter("getImRatio", "uint24")
GET_MM_RATIO: Final = _getter("getMmRatio", "uint24")
GET_PENALTY_RATIO: Final = _getter("getLiquidationPenaltyRatio", "uint24")
GET_MAX_FUNDING_RATE: Final = _getter("getMaxFundingRate", "uint24")
GET_TWAP_INTERVAL: Final = _getter("getTwapInterval", "uint32")
GET_MARK_PRICE_CONFIG: Final = Function("getMarkPriceConfig()", "(uint32,uint32)")
GET_MAX_MARKETS: Final = _getter("getMaxMarketsPerAccount", "uint8")
GET_BALANCE_CAP: Final = _getter("getSettlementTokenBalanceCap", "uint256")

# Exchange and MarketRegistry
GET_MARKET_REGISTRY: Final = _getter("getMarketRegistry", "address")
GET_MAX_TICKS: Final = _getter("getMaxTickCrossedWithinBlock", "uint24", _OF_ONE)
_MARKET_INFO: Final = "((address,uint24,uint24,uint24,uint24))"
GET_MARKET_INFO: Final = Function("getMarketInfo(address)", _MARKET_INFO)
GET_MARKET_INFO_BY_TRADER: Final = Function("getMarketInfoByTrader(address,address)", _MARKET_INFO)
GET_MAX_ORDERS: Final = _getter("getMaxOrdersPerMarket", "uint8")

# AccountBalance and OrderBook
GET_BASE_TOKENS: Final = _getter("getBaseTokens", "address[]", _OF_ONE)
GET_ACCOUNT_INFO: Final = Function("getAccountInfo(address,address)", "((int256,int256,int256))")
GET_PNL: Final = Function("getPnlAndPendingFee(address)", "(int256,int256,uint256)")
GET_ORDER_IDS: Final = _getter("getOpenOrderIds", "bytes32[]", _OF_TWO)
GET_ORDER: Final = Function(
    "getOpenOrderById(bytes32)",
    "((uint128,int24,int24,uint256,int256,int256,int256,uint256,uint256))",
)

# Vault and CollateralManager
GET_SETTLEMENT_TOKEN: Final = _getter("getSettlementToken", "address")
GET_COLLATERAL_MANAGER: Final = _getter("getCollateralManager", "address")
GET_BALANCE_BY_TOKEN: Final = _getter("getBalanceByToken", "int256", _OF_TWO)
GET_COLLATERAL_TOKENS: Final = _getter("getCollateralTokens", "address[]", _OF_ONE)
DEPOSIT: Final = Function("deposit(address,uint256)")
WITHDRAW: Final = Function("withdraw(address,uint256)")
LIQUIDATE_COLLATERAL: Final = Function("liquidateCollateral(address,address,uint256,bool)", "(uint256)")
GET_COLLATERAL_CONFIG: Final = Function("getCollateralConfig(address)", "((address,uint24,uint24,uint256))")
GET_DEBT_THRESHOLD: Final = _getter("getDebtThresholdByTrader", "uint256", _OF_ONE)
GET_MAX_COLLATERAL_TOKENS: Final = _getter("getMaxCollateralTokensPerAccount", "uint8")
GET_MM_RATIO_BUFFER: Final = _getter("getMmRatioBuffer", "uint24")
GET_DEBT_RATIO: Final = _getter("getDebtNonSettlementTokenValueRatio", "uint24")
GET_LIQUIDATION_RATIO: Final = _getter("getLiquidationRatio", "uint24")
GET_FUND_FEE_RATIO: Final = _getter("getCLInsuranceFundFeeRatio", "uint24")
GET_DUST: Final = _getter("getCollateralValueDust", "uint256")

# BaseToken, price feeds and the v3 pool
IS_OPEN: Final = _getter("isOpen", "bool")
IS_CLOSED: Final = _getter("isClosed", "bool")
GET_PAUSED_TIMESTAMP: Final = _getter("getPausedTimestamp", "uint256")
GET_PAUSED_INDEX_PRICE: Final = _getter("getPausedIndexPrice", "uint256")
GET_CLOSED_PRICE: Final = _getter("getClosedPrice", "uint256")
GET_PRICE_FEED: Final = _getter("getPriceFeed", "address")
GET_CHAINLINK_FEED: Final = _getter("getChainlinkPriceFeedV3", "address")
USES_POOL_FEED: Final = _getter("isToUseUniswapV3PriceFeed", "bool")
GET_LATEST_PRICE: Final = Function("getLatestOrCachedPrice()", "(uint256,uint256)")
GET_TIMEOUT: Final = _getter("getTimeout", "uint256")
DECIMALS: Final = _getter("decimals", "uint8")
CURRENT_ROUND: Final = _getter("currentObservationIndex", "uint16")
ROUNDS: Final = Function("observations(uint256)", "(uint256,uint256,uint256)")
SLOT0: Final = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
OBSERVATIONS: Final = Function("observations(uint256)", "(uint32,int56,uint160,bool)")
SYMBOL: Final = _getter("symbol", "string")
