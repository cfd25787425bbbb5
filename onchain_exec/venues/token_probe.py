"""Tokens that move other amounts than asked, found by moving some in a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from onchain_exec.core import Address, Call, Reading, Token
from onchain_exec.core.abi import CustomError, Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import TokenRefusedError
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.erc20 import BALANCE_OF

_PROBE: Final = Function("probe(address,uint256)", "(uint256,uint256,uint256)")
_TRANSFER_FAILED: Final = CustomError("TransferFailed(bytes)")
_SHARE: Final = 3
"""A fee in 1e-4 of a third of what a pool holds is seen, one of a few units might round to nothing."""


def require_plain_token(token: Token, holders: Sequence[Address]) -> Reading[None]:
    """Read what the token does when the richest of ``holders``, its pools, gives a third of its balance to
    a stranger, who gives it back. The holder's code is replaced in the call alone.

    Raises:
        TokenRefusedError: a transfer fails (paused, or refused to strangers), takes a fee, or changes
            balances by other amounts than asked (rebasing shares); or none has anything to try with.
    """
    snapshot = yield tuple(Call(token.address, BALANCE_OF.encode(holder)) for holder in holders)
    held = [decode_answer(BALANCE_OF, token.address, answer)[0] for answer in snapshot.answers]
    most, holder = max(zip(held, holders, strict=True))
    amount = most // _SHARE
    if not amount:
        raise TokenRefusedError(f"{holder} holds too little {token} to try a transfer", needed="3 base units")
    call = Call(
        holder, _PROBE.encode(token.address, amount), code=get_artifact("TokenProbe").runtime_bytecode
    )
    (answer,) = (yield (call,)).answers
    if not answer.success:
        failed = answer.data[:4] == _TRANSFER_FAILED.selector
        reason = _TRANSFER_FAILED.decode(answer.data)[0] if failed else answer.data
        raise TokenRefusedError(
            f"{token} at {token.address} cannot be moved: it reverts with 0x{reason.hex()}",
            needed="transfers that succeed, to any account",
            todo="It is paused, or closed to strangers: do not trade it",
        )
    sent, received, returned = _PROBE.decode(answer.data)
    if (sent, received, returned) != (amount,) * 3:
        raise TokenRefusedError(
            f"of {amount} {token} {sent} left, {received} arrived and {returned} came back",
            needed=f"{amount} each time",
            todo="It takes fees on transfers or rebases: what a pool quotes is not what arrives",
        )
