"""One answer from several endpoints: the first that comes, or one that enough of them give alike."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

from onchain_exec.chain.dialects import get_revert_data
from onchain_exec.chain.pool.hedging import get_hedge_s
from onchain_exec.chain.pool.member import Member
from onchain_exec.chain.pool.policy import PoolPolicy
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import NodeError, NodeRefusedError, NodesDisagreeError, NodeUnreachableError

Replies: TypeAlias = tuple[Reply, ...]
QUORUM_METHODS: Final = frozenset(
    {"eth_getTransactionCount", "eth_getBalance", "eth_getTransactionReceipt", "eth_getLogs"}
)
_RECEIPT_KEYS: Final = ("transactionHash", "blockHash", "status", "gasUsed", "effectiveGasPrice")
_LOG_KEYS: Final = ("blockHash", "logIndex", "transactionHash", "address", "topics", "data")
"""What clients say alike of a receipt and of a log: the rest differs from client to client."""


async def ask_hedged(
    members: Sequence[Member], requests: Sequence[Request], policy: PoolPolicy
) -> tuple[Member, Replies]:
    """Return the first usable replies and who gave them; the members are asked in their order.

    The next one is asked as soon as one fails or refuses, or as `get_hedge_s` says. A refusal never
    wins against an answer, unless it is the EVM's own: it counts when nobody has better. What is
    outrun is cancelled: reads change nothing.

    Raises:
        NodeError: of the first member that failed, when all did.
    """
    waiting = list(members)
    running: dict[asyncio.Task[Replies], Member] = {}
    refused: tuple[Member, Replies] | None = None
    failures: list[NodeError] = []
    try:
        while waiting or running:
            if waiting:
                member = waiting.pop(0)
                running[asyncio.create_task(member.ask(requests))] = member
            hedge_s = _get_hedge_s(member, waiting[0], policy) if waiting else None
            done, _ = await asyncio.wait(running, timeout=hedge_s, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                by = running.pop(task)
                try:
                    replies = task.result()
                except NodeError as error:
                    failures.append(error)
                    continue
                if not any(_is_refusal(reply) for reply in replies):
                    return by, replies
                refused = refused or (by, replies)
    finally:
        await _cancel(running)
    if refused is not None:
        return refused
    raise failures[0]


async def ask_quorum(members: Sequence[Member], request: Request, needed: int) -> Reply:
    """Return what ``needed`` members answer alike, as soon as so many do; a refusal where no answer
    has so many, and so many refuse.

    Raises:
        NodesDisagreeError: too few say the same: it names who said what.
    """
    said: list[tuple[str, str]] = []
    refused: list[NodeRefusedError] = []
    tasks = [asyncio.create_task(_ask(member, request)) for member in members]
    try:
        for asked in asyncio.as_completed(tasks):
            where, reply = await asked
            said.append((where, _get_words(reply)))
            agreeing = sum(words == said[-1][1] for _, words in said)
            if isinstance(reply, NodeRefusedError):
                refused.append(reply)
            elif not isinstance(reply, NodeError) and agreeing >= needed:
                return reply
    finally:
        await _cancel(tasks)
    if len(refused) >= needed:
        return refused[0]
    raise NodesDisagreeError(tuple(said), f"{needed} endpoints that say the same of {request[0]}")


def _get_hedge_s(asked: Member, following: Member, policy: PoolPolicy) -> float:
    if not asked.latency:
        return asked.patience_s
    return get_hedge_s(asked.latency, following.latency, policy.hedge_at, policy.max_tail)


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _is_refusal(reply: Reply) -> bool:
    return isinstance(reply, NodeRefusedError) and get_revert_data(reply) is None


async def _ask(member: Member, request: Request) -> tuple[str, Any]:
    try:
        async with asyncio.timeout(member.patience_s):
            (reply,) = await member.ask([request])
    except TimeoutError:
        return member.where, NodeUnreachableError("no answer in time")
    except NodeError as error:
        return member.where, error
    return member.where, reply


def _get_words(reply: Reply) -> str:
    if isinstance(reply, NodeError):
        return type(reply).__name__
    if isinstance(reply, Mapping):
        return repr([reply.get(key) for key in _RECEIPT_KEYS])
    if isinstance(reply, list) and all(isinstance(log, Mapping) for log in reply):
        return repr([[log.get(key) for key in _LOG_KEYS] for log in reply])
    return repr(reply)
