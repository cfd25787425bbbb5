"""Contracts that answer from a table, for readings of protocols that publish no bytecode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from eth_abi import encode

from onchain_exec.core import Address, Answer, BlockRef, Reading, Snapshot, Token
from onchain_exec.core.abi import Function

Answers = Mapping[tuple[Address, bytes], bytes]


def answer_of(address: Address, signature: str, returns: list[str], *arguments: Any) -> Callable[..., Any]:
    """Return values -> one entry of a table: what a call with these arguments answers."""
    calldata = Function(signature).encode(*arguments)
    return lambda *values: {(address, calldata): encode(returns, values)}


def token_answers(token: Token) -> dict[tuple[Address, bytes], bytes]:
    """Return what an ERC-20 token tells of itself."""
    decimals = answer_of(token.address, "decimals()", ["uint256"])(token.decimals)
    return decimals | answer_of(token.address, "symbol()", ["string"])(token.symbol)


def perform_scripted(reading: Reading[Any], answers: Answers, chain_id: int = 1, timestamp: int = 0) -> Any:
    """Drive ``reading``; a call that is not in the table reverts."""
    block = BlockRef(chain_id, 1, "0x" + "ab" * 32, timestamp, 0, 30_000_000)
    try:
        calls = next(reading)
        while True:
            found = [answers.get((call.to, call.data)) for call in calls]
            calls = reading.send(
                Snapshot(block, tuple(Answer(data is not None, data or b"") for data in found))
            )
    except StopIteration as done:
        return done.value
