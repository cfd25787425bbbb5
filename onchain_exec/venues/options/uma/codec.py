"""Calldata of a long-short pair and of the optimistic oracle."""

from __future__ import annotations

from typing import Final

from onchain_exec.core import Call
from onchain_exec.core.abi import Function
from onchain_exec.venues.options.uma.pair import LongShortPair

_CREATE: Final = Function("create(uint256)")
_REDEEM: Final = Function("redeem(uint256)")
_SETTLE: Final = Function("settle(uint256,uint256)")
_EXPIRE: Final = Function("expire()")
_REQUEST: Final = "address,bytes32,uint256,bytes"
_PROPOSE: Final = Function(f"proposePrice({_REQUEST},int256)")
_DISPUTE: Final = Function(f"disputePrice({_REQUEST})")


def encode_create(pair: LongShortPair, tokens: int) -> Call:
    """Return the call that mints both tokens; the pair pulls the collateral."""
    return Call(pair.address, _CREATE.encode(tokens))


def encode_redeem(pair: LongShortPair, tokens: int) -> Call:
    """Return the call that burns both tokens for collateral."""
    return Call(pair.address, _REDEEM.encode(tokens))


def encode_expire(pair: LongShortPair) -> Call:
    """Return the call that asks the oracle for the price; the pair pulls the proposer's reward."""
    return Call(pair.address, _EXPIRE.encode())


def encode_propose(pair: LongShortPair, price_wad: int) -> Call:
    """Return the call that proposes a price; the oracle pulls the bond and the final fee, which are lost if a
    dispute shows another price."""
    return Call(pair.request.oracle, _PROPOSE.encode(*_get_request(pair), price_wad))


def encode_dispute(pair: LongShortPair) -> Call:
    """Return the call that disputes the proposed price, at the same bond."""
    return Call(pair.request.oracle, _DISPUTE.encode(*_get_request(pair)))


def encode_settle(pair: LongShortPair, long_tokens: int, short_tokens: int) -> Call:
    """Return the call that burns tokens for what they are worth at the oracle's price."""
    return Call(pair.address, _SETTLE.encode(long_tokens, short_tokens))


def _get_request(pair: LongShortPair) -> tuple[object, ...]:
    request = pair.request
    return pair.address, request.identifier, pair.expiry_at, request.ancillary_data
