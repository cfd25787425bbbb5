"""Reads of a long-short pair. Its library says nothing of its kind: it is known by what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from onchain_exec.core import Address, Answer, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.errors import PoolRefusedError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import read_tokens
from onchain_exec.venues.options.uma.pair import LongShortPair, PriceRequest, RequestState
from onchain_exec.venues.options.uma.payout import (
    BinaryOption,
    CappedYieldDollar,
    CoveredCall,
    FlooredLinear,
    Linear,
    Payout,
    RangeBond,
    SimpleSuccessToken,
    SuccessToken,
)

_FIELDS: Final = (
    Function("collateralToken()", "(address)"),
    Function("longToken()", "(address)"),
    Function("shortToken()", "(address)"),
    Function("financialProductLibrary()", "(address)"),
    Function("finder()", "(address)"),
    Function("collateralPerPair()", "(uint256)"),
    Function("expirationTimestamp()", "(uint64)"),
    Function("priceIdentifier()", "(bytes32)"),
    Function("customAncillaryData()", "(bytes)"),
    Function("receivedSettlementPrice()", "(bool)"),
    Function("expiryPercentLong()", "(uint256)"),
    Function("optimisticOracleProposerBond()", "(uint256)"),
    Function("proposerReward()", "(uint256)"),
    Function("earlyExpirationTimestamp()", "(uint64)"),
)
_IMPLEMENTATION: Final = Function("getImplementationAddress(bytes32)", "(address)")
_ORACLE_NAME: Final = b"OptimisticOracleV2".ljust(32, b"\0")
_STRIKES: Final = Function("longShortPairStrikePrices(address)", "(uint256)")
_LOW_RANGES: Final = Function("lowPriceRanges(address)", "(uint256)")
_PARAMETERS: Final = "longShortPairParameters(address)"
_SHARE: Final = Function("percentageLongCollateralAtExpiry(int256)", "(uint256)")
_REQUEST_KEY: Final = "(address,bytes32,uint256,bytes)"
_STATE: Final = Function(f"getState{_REQUEST_KEY}", "(uint8)")
_REQUEST: Final = Function(
    f"getRequest{_REQUEST_KEY}",
    "((address,address,address,bool,(bool,bool,bool,bool,bool,uint256,uint256),int256,int256,uint256,uint256,"
    "uint256))",
)
_KINDS: Final[tuple[tuple[Function, Callable[..., Payout]], ...]] = (
    (_STRIKES, CoveredCall),
    (_STRIKES, SimpleSuccessToken),
    (_LOW_RANGES, CappedYieldDollar),
    (Function(_PARAMETERS, "(int256,int256,uint256)"), FlooredLinear),
    (Function(_PARAMETERS, "(uint256,int256)"), lambda _, strike: BinaryOption(strike)),
    (Function(_PARAMETERS, "(int256,int256)"), Linear),
    (Function(_PARAMETERS, "(uint256,uint256)"), RangeBond),
    (Function(_PARAMETERS, "(uint256,uint256)"), SuccessToken),
)
_PROBES: Final = tuple(
    sign * 10**magnitude * digit for magnitude in range(12, 30) for digit in (1, 3, 7) for sign in (1, -1)
)


def read_pair(address: Address) -> Reading[LongShortPair]:
    """Read a pair, its library's parameters and its price request.

    Raises:
        PoolRefusedError: its library answers as none that is known, or has no parameters for the pair yet;
            or it was asked to expire early, which is not modelled.
        InputError: no pair stands at the address.
    """
    snapshot = yield tuple(Call(address, function.encode()) for function in _FIELDS)
    fields = {
        function.signature[:-2]: decode_answer(function, address, answer)[0]
        for function, answer in zip(_FIELDS, snapshot.answers, strict=True)
    }
    if early := fields["earlyExpirationTimestamp"]:
        raise PoolRefusedError(
            f"pair {address} was asked to expire at {early} already", needed="one that expires when it says"
        )
    roles = ("collateralToken", "longToken", "shortToken")
    collateral, long, short = yield from read_tokens(to_address(fields[role]) for role in roles)
    payout = yield from _read_payout(address, to_address(fields["financialProductLibrary"]))
    request = yield from _read_request(address, fields)
    return LongShortPair(
        address,
        collateral,
        long,
        short,
        fields["collateralPerPair"],
        fields["expirationTimestamp"],
        payout,
        request,
        fields["expiryPercentLong"] if fields["receivedSettlementPrice"] else None,
        snapshot.block.timestamp,
    )


def _read_request(pair: Address, fields: Mapping[str, Any]) -> Reading[PriceRequest]:
    """Read the request of the price at expiry; before it, what the pair will ask with."""
    finder = to_address(fields["finder"])
    snapshot = yield (Call(finder, _IMPLEMENTATION.encode(_ORACLE_NAME)),)
    oracle = to_address(decode_answer(_IMPLEMENTATION, finder, snapshot.answers[0])[0])
    identifier, data = fields["priceIdentifier"], fields["customAncillaryData"]
    key = (pair, identifier, fields["expirationTimestamp"], data)
    snapshot = yield (Call(oracle, _STATE.encode(*key)), Call(oracle, _REQUEST.encode(*key)))
    state = RequestState(decode_answer(_STATE, oracle, snapshot.answers[0])[0])
    (found,) = decode_answer(_REQUEST, oracle, snapshot.answers[1])
    _, _, _, _, settings, proposed, resolved, until, reward, fee = found
    bond = settings[5]
    if state is RequestState.INVALID:
        bond, reward = fields["optimisticOracleProposerBond"], fields["proposerReward"]
    return PriceRequest(oracle, identifier, data, state, proposed, resolved, until, bond, fee, reward)


def _read_payout(pair: Address, library: Address) -> Reading[Payout]:
    """Find the kind whose shares are the library's at prices of every scale."""
    snapshot = yield (
        *(Call(library, function.encode(pair)) for function, _ in _KINDS),
        *(Call(library, _SHARE.encode(price), sender=pair) for price in _PROBES),
    )
    shares = [_decode_share(answer) for answer in snapshot.answers[len(_KINDS) :]]
    candidates = [
        make(*function.decode(answer.data))
        for (function, make), answer in zip(_KINDS, snapshot.answers, strict=False)
        if _holds(function, answer)
    ]
    for payout in candidates:
        if _get_shares(payout) == shares:
            return payout
    raise PoolRefusedError(
        f"the library {library} of pair {pair} shares collateral in a way that is not known",
        needed="one of UMA's libraries, with parameters set for the pair",
    )


def _holds(function: Function, answer: Answer) -> bool:
    """Say whether an answer is of this function: as long as its values, with a number in it."""
    return answer.success and len(answer.data) == 32 * len(function.returns.split(",")) and any(answer.data)


def _decode_share(answer: Answer) -> Any:
    return int.from_bytes(answer.data) if answer.success else None


def _get_shares(payout: Payout) -> list[int] | None:
    try:
        return [payout.get_long_share_wad(price) for price in _PROBES]
    except ZeroDivisionError:  # parameters of another kind
        return None
