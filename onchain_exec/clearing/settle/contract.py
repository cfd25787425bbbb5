"""The Settle contract's functions, events and errors (``contracts/interfaces/ISettle.sol``)."""

from __future__ import annotations

from typing import Final

from onchain_exec.clearing.settle.fill import FILL_TYPE
from onchain_exec.clearing.settle.order import ORDER_TYPES
from onchain_exec.core.abi import CustomError, Event, Function

SETTLE: Final = Function(f"settle(address[],uint128[],{FILL_TYPE}[],bytes[],(uint256,uint256)[],bytes)")
PAIR: Final = Function(f"pair({FILL_TYPE},{FILL_TYPE},address,address,bytes[])")
TAKE: Final = Function(f"take({FILL_TYPE},address,address)")
TAKE_FROM_CONTRACT: Final = Function(f"takeFromContract({FILL_TYPE},address,address,bytes[])")
CANCEL: Final = Function("cancel(uint64)")
PRESIGN: Final = Function("presign(uint32,bytes32)")
STOP: Final = Function("stop()")
LANE_OF: Final = Function("laneOf(address,uint32)", "(uint256,uint256)")
PRESIGNED: Final = Function("presigned(address,uint32)", "(bytes32)")
STOPPED_UNTIL: Final = Function("stoppedUntil()", "(uint256)")
HASH_ORDER: Final = Function(f"hashOrder(({','.join(ORDER_TYPES)}))", "(bytes32)")

FILLED: Final = Event("Filled(address,uint256,uint256)", indexed=("address",), data=("uint256", "uint256"))
CHARGED: Final = Event("Charged(address,uint256,uint256)", indexed=("address",), data=("uint256", "uint256"))
CANCELLED: Final = Event("Cancelled(uint256)", indexed=("uint256",), data=())
PRESIGNED_ORDER: Final = Event(
    "Presigned(address,uint32,bytes32)", indexed=("address",), data=("uint32", "bytes32")
)
STOPPED: Final = Event("Stopped(uint256)", indexed=(), data=("uint256",))

SETTLE_ERRORS: Final = (
    CustomError("SeqPassed(uint256,uint256)", "The order was cancelled, or a later one on its lane filled"),
    CustomError("Overfilled(uint256,uint256)", "Another fill came first; fill what is left"),
    CustomError("DeadlinePassed(address,uint256,uint256)", "The order is over; its owner signs a new one"),
    CustomError("WrongSignature(address,bytes32)", "Compare the digest with what the owner signed"),
    CustomError("NothingFilled(address)", "Leave the order out of the batch"),
    CustomError("PartialFill(address,uint256,uint256)", "Fill the whole order or leave it out"),
    CustomError("LimitBroken(address,uint256,uint256)", "Give the receiver at least the order's price"),
    CustomError("FeeTooHigh(address,uint256,uint256)", "Keep at most maxFeeBps of what the other side pays"),
    CustomError("NotUniform(address,uint256,uint256)", "Fill at the batch's prices, rounded for the owner"),
    CustomError("TokensUnsorted(uint256)", "Give the batch's tokens in ascending order, each once"),
    CustomError("PricesMissing(uint256,uint256)", "Give one price for each token, or none"),
    CustomError("Unbalanced(address,uint256,uint256)", "Bring more of the token, or pay out less"),
    CustomError("TransferShort(address,uint256,uint256)", "The token takes a fee: it cannot be settled"),
    CustomError("TokenCallFailed(address,bytes4,bytes)", "The owner holds or allows less than it sells"),
    CustomError("NotAPair()", "Each order must pay the other's amountOut and fee, exactly"),
    CustomError("FeeFromTaker(uint256)", "Who takes the other side keeps no fee"),
    CustomError("Reentered()", "A token or callback settled in the middle of a settlement"),
    CustomError("SettlementStopped(uint256)", "The guardian stopped settlements; cancelling goes on"),
    CustomError("SunsetPassed(uint256)", "This deployment is over: use its successor"),
    CustomError("NotGuardian(address)", "Only the guardian may stop, in its time"),
)
"""Give them to `decode_revert`, or to a `Node`, as ``errors``."""
