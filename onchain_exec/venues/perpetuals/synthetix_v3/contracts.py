"""The functions of Synthetix v3's perpetuals market that are asked or called, and where it keeps the rest."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import Function
from onchain_exec.core.encoding import encode
from onchain_exec.core.hashing import keccak

_WORD: Final = "(uint256)"
_STRATEGY: Final = "(uint8,uint256,uint256,address,bytes32,uint256,bool,uint256)"
_REQUEST: Final = "(uint128,uint128,int128,uint128,uint256,bytes32,address)"

# Markets
GET_MARKETS: Final = Function("getMarkets()", "(uint256[])")
METADATA: Final = Function("metadata(uint128)", "(string,string)")
INDEX_PRICE: Final = Function("indexPrice(uint128)", _WORD)
GET_SETTLEMENT_STRATEGY: Final = Function("getSettlementStrategy(uint128,uint256)", f"({_STRATEGY})")
MARKET_RULES: Final = (
    Function("getOrderFees(uint128)", "(uint256,uint256)"),
    Function("getMaxMarketSize(uint128)", _WORD),
    Function("getMaxMarketValue(uint128)", _WORD),
    Function("getFundingParameters(uint128)", "(uint256,uint256)"),
    Function("getLiquidationParameters(uint128)", "(uint256,uint256,uint256,uint256,uint256)"),
    Function("getMaxLiquidationParameters(uint128)", "(uint256,uint256,uint256,address)"),
    Function("getLockedOiRatio(uint128)", _WORD),
)

# All markets together
IS_FEATURE_ALLOWED: Final = Function("isFeatureAllowed(bytes32,address)", "(bool)")
GET_PER_ACCOUNT_CAPS: Final = Function("getPerAccountCaps()", "(uint128,uint128)")
GET_KEEPER_REWARD_GUARDS: Final = Function("getKeeperRewardGuards()", "(uint256,uint256,uint256,uint256)")
GET_LIQUIDATE_REWARD: Final = Function("getCollateralLiquidateRewardRatio()", "(uint128)")
GET_INTEREST_RATE_PARAMETERS: Final = Function("getInterestRateParameters()", "(uint128,uint128,uint128)")
GET_KEEPER_COST_NODE: Final = Function("getKeeperCostNodeId()", "(bytes32)")
UTILIZATION_RATE: Final = Function("utilizationRate()", "(uint256,uint256,uint256)")
USD_COLLATERAL: Final = Function("globalCollateralValue(uint128)", _WORD)
GET_COLLATERAL_CONFIGURATION: Final = Function("getCollateralConfiguration(uint128)", _WORD)
TOTAL_COLLATERAL: Final = Function("totalGlobalCollateralValue()", _WORD)

# Accounts
GET_AVAILABLE_MARGIN: Final = Function("getAvailableMargin(uint128)", "(int256)")
TOTAL_COLLATERAL_VALUE: Final = Function("totalCollateralValue(uint128)", _WORD)
GET_COLLATERAL_AMOUNT: Final = Function("getCollateralAmount(uint128,uint128)", _WORD)
GET_COLLATERAL_IDS: Final = Function("getAccountCollateralIds(uint128)", "(uint256[])")
GET_OPEN_POSITIONS: Final = Function("getAccountOpenPositions(uint128)", "(uint256[])")
DEBT: Final = Function("debt(uint128)", _WORD)
GET_ORDER: Final = Function("getOrder(uint128)", f"((uint256,{_REQUEST}))")
FLAGGED_ACCOUNTS: Final = Function("flaggedAccounts()", "(uint256[])")
GET_ACCOUNT_OWNER: Final = Function("getAccountOwner(uint128)", "(address)")
GET_ACCOUNT_TOKEN: Final = Function("getAccountTokenAddress()", "(address)")
TOKEN_OF_OWNER: Final = Function("tokenOfOwnerByIndex(address,uint256)", _WORD)

# What a trader and a keeper send
CREATE_ACCOUNT: Final = Function("createAccount(uint128)")
MODIFY_COLLATERAL: Final = Function("modifyCollateral(uint128,uint128,int256)")
COMMIT_ORDER: Final = Function(f"commitOrder({_REQUEST})", f"((uint256,{_REQUEST}),uint256)")
SETTLE_ORDER: Final = Function("settleOrder(uint128)")
CANCEL_ORDER: Final = Function("cancelOrder(uint128)")
PAY_DEBT: Final = Function("payDebt(uint128,uint256)")
LIQUIDATE_MARGIN: Final = Function("liquidateMarginOnly(uint128)", _WORD)
LIQUIDATE: Final = Function("liquidate(uint128)", _WORD)

# Beside the market: the core system and its oracle
GET_WITHDRAWABLE_USD: Final = Function("getWithdrawableMarketUsd(uint128)", _WORD)
PROCESS_WITH_RUNTIME: Final = Function(
    "processWithRuntime(bytes32,bytes32[],bytes32[])", "((int256,uint256,uint256,uint256))"
)


def find_slot(name: str, *ids: int) -> int:
    """Return where the market's storage library ``name`` keeps its data, of an id where it has one."""
    label = f"io.synthetix.perps-market.{name}"
    return int.from_bytes(keccak(encode(["string", *["uint128"] * len(ids)], [label, *ids])))
