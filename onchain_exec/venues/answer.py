"""From an answer to values, or to an error that says who did not answer."""

from __future__ import annotations

from typing import Any

from onchain_exec.core import Address, Answer
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError


def decode_answer(function: Function, address: Address, answer: Answer) -> tuple[Any, ...]:
    """Return what ``function`` of the contract at ``address`` answered.

    Raises:
        InputError: it reverted, or answered something else: another contract stands there, or none.
    """
    if not answer.success:
        raise InputError(
            f"{function.signature} of {address} reverted",
            needed="a contract with this function at the address",
            todo="Check the address, its kind and the chain",
        )
    return function.decode(answer.data)
