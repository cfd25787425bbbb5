"""What ends an order at GMX v2, and what it means to a trader."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import CustomError

_MORE: Final = "Bring more collateral, or trade less"
_LIMIT: Final = "The market has reached a limit; trade less, or later"
_MOVED: Final = "The price moved past the acceptable one; ask again"

GMX_ERRORS: Final = (
    CustomError("OrderNotFulfillableAtAcceptablePrice(uint256,uint256)", _MOVED),
    CustomError("InsufficientOutputAmount(uint256,uint256)", "Less is paid out than the order wants"),
    CustomError("InsufficientSwapOutputAmount(uint256,uint256)", "Less comes out of a swap than is wanted"),
    CustomError("InsufficientCollateralUsd(int256)", _MORE),
    CustomError("InsufficientCollateralAmount(uint256,int256)", _MORE),
    CustomError("LiquidatablePosition(string,int256,int256,int256)", _MORE),
    CustomError("MinPositionSize(uint256,uint256)", "Trade more"),
    CustomError("InvalidPositionSizeValues(uint256,uint256)", "Open a position before collateral is moved"),
    CustomError("InsufficientFundsToPayForCosts(uint256,string)", "It can only be liquidated"),
    CustomError("UnableToWithdrawCollateral(int256)", "Take out less"),
    CustomError("InvalidDecreaseOrderSize(uint256,uint256)", "The position is smaller than the order"),
    CustomError("EmptyPosition()", "There is no such position any more"),
    CustomError("EmptyOrder()", "The order is gone, or asks for nothing"),
    CustomError("EmptySizeDeltaInTokens()", "Trade more"),
    CustomError("PriceImpactLargerThanOrderSize(int256,uint256)", "Trade less"),
    CustomError("NegativeExecutionPrice(int256,uint256,uint256,int256,uint256)", "Trade less"),
    CustomError("InsufficientReserve(uint256,uint256)", _LIMIT),
    CustomError("InsufficientReserveForOpenInterest(uint256,uint256)", _LIMIT),
    CustomError("MaxOpenInterestExceeded(uint256,uint256)", _LIMIT),
    CustomError("MaxCollateralSumExceeded(uint256,uint256)", _LIMIT),
    CustomError("DisabledMarket(address)", "The market is switched off"),
    CustomError("DisabledFeature(bytes32)", "GMX has switched orders of this kind off"),
    CustomError("InvalidPositionMarket(address)", "The market is for swaps only"),
    CustomError("InvalidCollateralTokenForMarket(address,address)", "Use a token of the market's pool"),
    CustomError("InvalidOrderPrices(uint256,uint256,uint256,uint256)", "The trigger price is not reached"),
    CustomError("OrderValidFromTimeNotReached(uint256,uint256)", "It is too early for the order"),
    CustomError("OracleTimestampsAreSmallerThanRequired(uint256,uint256)", "The prices are from before it"),
    CustomError(
        "OracleTimestampsAreLargerThanRequestExpirationTime(uint256,uint256,uint256)",
        "No keeper came in time; ask again",
    ),
    CustomError("InsufficientExecutionFee(uint256,uint256)", "Pay the keeper for a higher gas price"),
    CustomError("RequestNotYetCancellable(uint256,uint256,string)", "Wait until the order expires"),
    CustomError("OrderNotUpdatable(uint256)", "Market orders cannot be updated; cancel it"),
    CustomError("PositionShouldNotBeLiquidated(string,int256,int256,int256)", "It has collateral enough"),
)
_NAMES: Final = {error.selector: error.name for error in GMX_ERRORS}


def find_reason(said: str, data: bytes) -> str:
    """Return the name of the error that ended an order; what the contract said where that is a text."""
    return said or _NAMES.get(data[:4], "")
