"""What the Router reverts with, and what it means to a trader."""

from __future__ import annotations

from typing import Final

from onchain_exec.core.abi import CustomError

ROUTER_ERRORS: Final = (
    CustomError(
        "DeadlinePassed(uint256,uint256)",
        "The deadline passed; quote again, with more time if the chain is ahead of this clock",
    ),
    CustomError("Reentered()", "A token or pool of the route called the router again in the middle of it"),
    CustomError("ValueMismatch(uint256,uint256)", "Send amountInMax as value with a native input, else none"),
    CustomError("UnexpectedValue(address)", "The router takes native coin with a swap only"),
    CustomError("NotTokenIn(address,address)", "The payer pays for hops that sell the token of the terms"),
    CustomError("AmountInExceeded(uint256,uint256)", "The price moved past the bound; quote again"),
    CustomError("AmountOutTooLow(uint256,uint256)", "The price moved past the bound; quote again"),
    CustomError("UnexpectedCallback(address)", "Another than the pool in use asked for payment"),
    CustomError("CallbackMissing(address)", "No pool of v3's kind stands at the address"),
    CustomError("PartialFill(address,uint256,uint256)", "The pool's liquidity ends before the amount"),
    CustomError("ExactOutUnsupported(uint8)", "Curve, Solidly and vaults take exact inputs only"),
    CustomError("AmountTooLarge(uint256)", "An amount is beyond its type"),
    CustomError(
        "TokenCallFailed(address,bytes4,bytes)", "Approve the router for at least the amount, and hold it"
    ),
    CustomError("NativeRefused(address,uint256)", "The recipient or payer refuses native coin"),
    CustomError("CheckFailed(uint256,uint256,uint256)", "The swap would leave a position outside its bound"),
    CustomError("CheckUnanswered(uint256,bytes)", "The check's target or calldata is not what it should be"),
)
"""Give them to `decode_revert`, or to a `Node`, as ``errors``."""
