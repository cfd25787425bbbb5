"""Tokens that move other amounts than asked, found by moving some in a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onchain_exec.core import ZERO_ADDRESS, Address, Answer, Call, Reading, Token
from onchain_exec.core.abi import Function
from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import TokenRefusedError

_PROBE: Final = Function("probe(address,uint256)", "((uint256,uint256,uint256,uint256,bool,bytes))")
_SHARE: Final = 3
"""A fee in 1e-4 of a third of what a pool holds is seen, one of a few units might round to nothing."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of a third of what ``holder`` holds, in base units; see ``ITokenProbe``."""

    holder: Address
    held: int
    sent: int
    received: int
    returned: int
    failed: bool
    reason: bytes


def require_plain_token(token: Token, holders: Sequence[Address]) -> Reading[Moved | None]:
    """Read, in one round, what the token does when each of ``holders``, its pools, gives a third of its
    balance to a stranger, who gives it back. The holder's code is replaced in the call alone.

    The richest decides, and what became of its balance is returned: None for the native coin, and where
    the token itself is the only holder (a wrapper), whose code cannot be replaced.

    Raises:
        TokenRefusedError: a transfer fails (paused, or refused to strangers), takes a fee, or changes
            balances by other amounts than asked (rebasing shares); or none has anything to try with.
    """
    others = [holder for holder in dict.fromkeys(holders) if ZERO_ADDRESS != token.address != holder]
    if not others:
        return None
    code = get_artifact("TokenProbe").runtime_bytecode
    data = _PROBE.encode(token.address, _SHARE)
    snapshot = yield tuple(Call(holder, data, code=code) for holder in others)
    tried = [_decode(token, holder, answer) for holder, answer in zip(others, snapshot.answers, strict=True)]
    moved = max(tried, key=lambda one: one.held)
    amount = moved.held // _SHARE
    if not amount:
        raise TokenRefusedError(
            f"{moved.holder} holds too little {token} to try a transfer", needed="3 base units"
        )
    if moved.failed:
        raise TokenRefusedError(
            f"{token} at {token.address} cannot be moved: it reverts with 0x{moved.reason.hex()}",
            needed="transfers that succeed, to any account",
            todo="It is paused, or closed to strangers: do not trade it",
        )
    if (moved.sent, moved.received, moved.returned) != (amount,) * 3:
        raise TokenRefusedError(
            f"of {amount} {token} {moved.sent} left, {moved.received} arrived and {moved.returned} came back",
            needed=f"{amount} each time",
            todo="It takes fees on transfers or rebases: what a pool quotes is not what arrives",
        )
    return moved


def _decode(token: Token, holder: Address, answer: Answer) -> Moved:
    if not answer.success:
        raise TokenRefusedError(
            f"{token} at {token.address} does not tell balances before and after a transfer",
            needed="a token whose balances can be counted",
            todo="Do not trade it",
        )
    return Moved(holder, *_PROBE.decode(answer.data)[0])
