"""Calls of Curve's ``exchange``, and what its ``TokenExchange`` tells, per kind of pool."""

from __future__ import annotations

import enum
from typing import Final, NamedTuple

from onchain_exec.core import Address, Exact, Log
from onchain_exec.core.abi import Event, Function
from onchain_exec.errors import InputError
from onchain_exec.venues.terms import SwapTerms
from onchain_exec.venues.words import unsigned_word


class Receiver(enum.Enum):
    """How a pool's ``exchange`` is told whom to pay: the parameters after the minimum."""

    CALLER = "caller"  # it is not: it pays its caller
    LAST = "last"  # stableswap-ng, twocrypto-ng and the tricrypto-ng without a wrapped coin
    AFTER_USE_ETH = "after_use_eth"  # tricrypto-ng with a wrapped coin, which then wraps nothing


class Exchange(NamedTuple):
    """One executed exchange by the pool's own event, in base units."""

    side_in: int
    amount_in: int
    side_out: int
    amount_out: int


_PARAMETERS: Final = {Receiver.CALLER: "", Receiver.LAST: ",address", Receiver.AFTER_USE_ETH: ",bool,address"}
_EXCHANGE: Final = {
    (index, receiver): Function(f"exchange({index},{index},uint256,uint256{parameters})", "(uint256)")
    for index in ("int128", "uint256")
    for receiver, parameters in _PARAMETERS.items()
}
_EVENT_TYPES: Final = (
    ("int128", "uint256", "int128", "uint256"),  # StableSwap
    ("uint256", "uint256", "uint256", "uint256"),  # CryptoSwap of 2021
    ("uint256", "uint256", "uint256", "uint256", "uint256", "uint256"),  # with the fee and the price scale
)
_TOKEN_EXCHANGES: Final = frozenset(
    Event(f"TokenExchange(address,{','.join(types)})", ("address",), types).topic for types in _EVENT_TYPES
)


HARMLESS: Final = frozenset(
    Event(signature, (), ()).topic
    for signature in (
        "Transfer(address,address,uint256)",
        "Approval(address,address,uint256)",
        "CommitNewAdmin(uint256,address)",
        "NewAdmin(address)",
        "CommitNewFee(uint256,uint256,uint256)",
        "CommitNewParameters(uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
        "CommitNewParameters(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256)",
        "SetNewMATime(uint256,uint256)",
    )
)
"""Events of pools and of their own tokens that leave all swaps as they were."""


def encode_exchange(
    index: str, receiver: Receiver, sides: tuple[int, int], terms: SwapTerms, payer: Address
) -> bytes:
    """Return the calldata of ``exchange`` with the pool's type of ``index``, "int128" or "uint256".

    Raises:
        InputError: exact output, or another recipient than ``payer`` where the pool pays its caller.
    """
    if terms.exact is not Exact.IN:
        raise InputError(
            f"exactly {terms.amount} out asked of a Curve pool",
            needed="an exact input",
            todo="Quote Exact.OUT, and send the amount_in that it takes with amount_out_min",
        )
    arguments = (*sides, terms.amount, terms.bound)
    if terms.recipient == payer:
        return _EXCHANGE[index, Receiver.CALLER].encode(*arguments)
    match receiver:
        case Receiver.CALLER:
            raise InputError(
                f"{terms.recipient} is to get what {payer} buys",
                needed="one account: the pool pays its caller",
            )
        case Receiver.LAST:
            return _EXCHANGE[index, receiver].encode(*arguments, terms.recipient)
        case Receiver.AFTER_USE_ETH:
            return _EXCHANGE[index, receiver].encode(*arguments, False, terms.recipient)


def decode_exchange(log: Log) -> Exchange | None:
    """Return what a ``TokenExchange`` log tells, of any kind of pool; None for any other log."""
    if log.topics[0] not in _TOKEN_EXCHANGES:
        return None
    return Exchange(*(unsigned_word(log.data, index) for index in range(4)))
