"""Our Guard: an account's own calls and the conditions that they must leave, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onchain_exec.core import Address, Condition, Log
from onchain_exec.core.abi import CustomError, Event, Function
from onchain_exec.core.action import VenueCall

_CHECKS: Final = "(address,bytes,uint256,uint8,uint256)[]"
_PERFORM: Final = Function(f"perform((address,uint256,bytes)[],{_CHECKS},uint256)")
_CHECK: Final = Function(f"check({_CHECKS})")
_PERFORMED: Final = Event("Performed()", (), ())
_WORD: Final = 1 << 256

GUARD_ERRORS: Final = (
    CustomError("NotTheAccount(address)", "The account alone runs the code that it lent itself"),
    CustomError("NotAnAccount()", "Coin is sent to the account, not to the Guard's own address"),
)
"""What the Guard reverts with besides a failed check, which reverts as in the Router."""


def encode_guarded(calls: Iterable[VenueCall], conditions: Iterable[Condition], deadline_at: int) -> bytes:
    """Return the calldata of ``perform``, for the account to send to itself."""
    steps = [(call.to, call.value_wei, call.data) for call in calls]
    return _PERFORM.encode(steps, [_to_check(condition) for condition in conditions], deadline_at)


def encode_check(conditions: Iterable[Condition]) -> bytes:
    """Return the calldata of ``check``, to be put behind the calls of an account that can make several."""
    return _CHECK.encode([_to_check(condition) for condition in conditions])


def split_logs(logs: Iterable[Log], account: Address) -> tuple[tuple[Log, ...], ...]:
    """Return what each call of a mined ``perform`` logged, in the calls' order, without the Guard's own marks
    (IGuard.Performed). The account alone can make them, by calling itself."""
    parts: list[list[Log]] = [[]]
    for log in logs:
        if log.address == account and log.topics == (_PERFORMED.topic,):
            parts.append([])
        else:
            parts[-1].append(log)
    return tuple(map(tuple, parts[:-1]))


def _to_check(condition: Condition) -> tuple[Address, bytes, int, int, int]:
    return (
        condition.target,
        condition.data,
        condition.word,
        condition.comparison,
        condition.bound % _WORD,
    )
