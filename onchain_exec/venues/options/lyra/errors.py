"""What Lyra's contracts revert with, and what it means to a trader."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import CustomError

_POSITION: Final = "(uint256,uint256,uint8,uint256,uint256,uint8)"
_VOLS: Final = "(uint256,uint256,uint256)"

MARKET_PAUSED: Final = CustomError("MarketIsPaused(address,address)", "The owner has paused the market")
ALL_PAUSED: Final = CustomError("AllMarketsPaused(address,address)", "The owner has paused all markets")
RATE_INVALID: Final = CustomError(
    "RateIsInvalid(address,uint256,bool)", "The oracle's price is stale or missing; wait for its update"
)
LYRA_ERRORS: Final = (
    MARKET_PAUSED,
    ALL_PAUSED,
    RATE_INVALID,
    CustomError(
        "TotalCostOutsideOfSpecifiedBounds(address,uint256,uint256,uint256)",
        "The price moved past the bound; preview again",
    ),
    CustomError("InvalidStrikeId(address,uint256)", "No such strike in the market"),
    CustomError("BoardAlreadySettled(address,uint256)", "Settle the position"),
    CustomError("BoardIsFrozen(address,uint256)", "The owner has frozen the board"),
    CustomError("BoardExpired(address,uint256,uint256,uint256)", "Settle the board, then the position"),
    CustomError("BoardNotExpired(address,uint256)", "A board is settled after its expiry"),
    CustomError(f"BoardMustBeSettled(address,({_POSITION[1:-1]},address))", "Settle the board first"),
    CustomError("TradeIterationsHasRemainder(address,uint256,uint256,uint256,uint256)", "Fewer iterations"),
    CustomError("ExpectedNonZeroValue(address,uint8)"),
    CustomError(
        "TradingCutoffReached(address,uint256,uint256,uint256)", "Too near to expiry; a close can be forced"
    ),
    CustomError(
        f"VolSkewOrBaseIvOutsideOfTradingBounds(address,bool,{_VOLS},{_VOLS},{_VOLS})",
        "The trade moves the volatility too far; trade less",
    ),
    CustomError(
        "TradeDeltaOutOfRange(address,int256,int256,int256)", "Too far from the money; a close can be forced"
    ),
    CustomError("ForceCloseSkewOutOfRange(address,bool,uint256,uint256,uint256)", "Close less at a time"),
    CustomError("ForceCloseDeltaOutOfRange(address,int256,int256,int256)", "Close it without force"),
    CustomError(
        f"AdjustmentResultsInMinimumCollateralNotBeingMet(address,{_POSITION},uint256)",
        "Post more collateral, or write less",
    ),
    CustomError("CannotClosePositionZero(address)"),
    CustomError("CannotOpenZeroAmount(address)"),
    CustomError("CannotAdjustInvalidPosition(address,uint256,bool,bool,bool,bool)"),
    CustomError("OnlyOwnerCanAdjustPosition(address,uint256,address,address)"),
    CustomError("FullyClosingWithNonZeroSetCollateral(address,uint256,uint256)"),
    CustomError("AddingCollateralToInvalidPosition(address,uint256,bool,bool,bool)"),
    CustomError(f"PositionNotLiquidatable(address,{_POSITION},uint256)", "It holds enough collateral"),
    CustomError("LockingMoreQuoteThanIsFree(address,uint256,uint256,(uint256,uint256))", "Trade less"),
    CustomError("SendPremiumNotEnoughCollateral(address,uint256,uint256,uint256)", "Trade less"),
    CustomError("InsufficientFreeLiquidityForBaseExchange(address,uint256,uint256,uint256)", "Trade less"),
    CustomError(
        "QuoteBaseExchangeExceedsLimit(address,uint256,uint256,uint256,uint256,bytes32,bytes32)",
        "The pool is short of quote to buy the call's base; trade less",
    ),
)
"""Give them to `decode_revert`, or to a `Node`, as ``errors``."""
