"""Signed bytes to every endpoint that takes them, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Final

from onchain_exec.chain.decode import to_bytes, to_hex
from onchain_exec.chain.pool.endpoint import Role
from onchain_exec.chain.pool.health import EndpointState
from onchain_exec.chain.pool.member import Member
from onchain_exec.chain.rpc import Delivery
from onchain_exec.chain.wire import Reply
from onchain_exec.errors import ConfigError, NodeError, NodeRefusedError, NodeUnreachableError

LINGER_S: Final = 0.2
"""How long the others are waited for after the first endpoint took the bytes."""


class Courier:
    """Sends. Nothing is repeated, and what is on its way is never cancelled but by `close`."""

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._under_way: set[asyncio.Task[Delivery]] = set()

    async def broadcast(self, raw: bytes, role: Role, only: Collection[str] = ()) -> tuple[Delivery, ...]:
        """Hand the bytes to all endpoints of one role, side by side, and return what each said; to those
        that ``only`` names, if there are such.

        An endpoint that is silent `LINGER_S` after another took them is reported as
        NodeUnreachableError; the bytes stay on their way to it. The state of an endpoint is no
        reason to leave it out, but that it serves another chain.

        Raises:
            ConfigError: none has the role.
        """
        members = [member for member in self._members if role in member.roles]
        if not members:
            raise ConfigError(
                f"no endpoint of the chain has the {role.value} role",
                needed=f"{role.value}+URL among the node URLs",
            )
        members = [member for member in members if member.where in only] or members
        foreign = [member for member in members if member.health.state is EndpointState.WRONG_CHAIN]
        if len(foreign) == len(members):
            return tuple(_unsent(member) for member in foreign)
        members = [member for member in members if member not in foreign]
        tasks = [asyncio.create_task(_deliver(member, to_hex(raw))) for member in members]
        for task in tasks:
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await _wait(tasks)
        return tuple(
            task.result() if task.done() else _silent(member)
            for task, member in zip(tasks, members, strict=True)
        )

    async def send(self, raw: str) -> Reply:
        """Do what one endpoint does on eth_sendRawTransaction: return the hash if any took them, the
        refusal if all refused.

        Raises:
            NodeUnreachableError: AMBIGUOUS: none acknowledged, and not all refused.
        """
        deliveries = await self.broadcast(to_bytes(raw), Role.SEND)
        replies: list[Any] = [delivery.reply for delivery in deliveries]
        if taken := [reply for reply in replies if isinstance(reply, str)]:
            return taken[0]
        if all(isinstance(reply, NodeRefusedError) for reply in replies):
            return replies[0]
        raise NodeUnreachableError("; ".join(f"{item.where}: {item.reply}" for item in deliveries))

    async def close(self) -> None:
        """Give up what is still on its way."""
        loop = asyncio.get_running_loop()
        tasks = [task for task in self._under_way if task.get_loop() is loop]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _deliver(member: Member, raw: str) -> Delivery:
    try:
        return Delivery(member.where, await member.send(raw))
    except NodeError as error:
        return Delivery(member.where, error)


async def _wait(tasks: Sequence[asyncio.Task[Delivery]]) -> None:
    pending = set(tasks)
    while pending and not any(_is_taken(task) for task in tasks):
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    if pending:
        await asyncio.wait(pending, timeout=LINGER_S)


def _is_taken(task: asyncio.Task[Delivery]) -> bool:
    return task.done() and isinstance(task.result().reply, str)


def _silent(member: Member) -> Delivery:
    return Delivery(member.where, NodeUnreachableError(f"{member.where} has not answered the send yet"))


def _unsent(member: Member) -> Delivery:
    return Delivery(
        member.where, NodeUnreachableError(f"{member.where} is {member.health.state.value}: not sent")
    )
