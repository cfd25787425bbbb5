"""Several questions to contracts in one batch, and their answers decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from onchain_exec.core import Address, Call, Reading
from onchain_exec.core.abi import Function
from onchain_exec.venues.answer import decode_answer


class Ask(NamedTuple):
    """A function of the contract at an address, with its arguments."""

    to: Address
    function: Function
    arguments: tuple[Any, ...] = ()


def ask_each(asks: Sequence[Ask]) -> Reading[list[tuple[Any, ...]]]:
    """Read what each function returns, in their order.

    Raises:
        InputError: one reverted, or answered something else.
    """
    snapshot = yield tuple(Call(ask.to, ask.function.encode(*ask.arguments)) for ask in asks)
    return [
        decode_answer(ask.function, ask.to, answer)
        for ask, answer in zip(asks, snapshot.answers, strict=True)
    ]


def ask_one_value_each(asks: Sequence[Ask]) -> Reading[list[Any]]:
    """Read functions that return a single value each.

    Raises:
        InputError: as `ask_each`.
    """
    answers = yield from ask_each(asks)
    return [answer[0] for answer in answers]
