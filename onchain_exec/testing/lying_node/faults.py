"""Faults of the wire and of sends, as values. Faults of the view are in `views`.

A fault stands between the client and the node: it may change the call, keep it back, repeat it, or
change the answer. Several faults on one call nest, the one that was set first outermost.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Literal

from eth_hash.auto import keccak

from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call, Cut, HttpFailure, Refusal, Result


class Fault:
    """What is done to the calls that a rule selects. Without an override it does nothing."""

    __slots__ = ()

    async def apply(self, call: Call, ask: Ask) -> Answer:
        """Return the answer that the client gets; ``ask`` is the way on to the node."""
        return await ask(call)

    async def push(self, event: Any, ask: Ask) -> Any:
        """Return what a subscriber gets of an event's result (of method ``eth_subscription``), or None
        for nothing."""
        return event


@dataclass(frozen=True, slots=True)
class Latency(Fault):
    """The call reaches the node ``seconds`` late, an event its subscriber."""

    seconds: float

    async def apply(self, call: Call, ask: Ask) -> Answer:
        await asyncio.sleep(self.seconds)
        return await ask(call)

    async def push(self, event: Any, ask: Ask) -> Any:
        await asyncio.sleep(self.seconds)
        return event


@dataclass(frozen=True, slots=True)
class TooManyRequests(Fault):
    """HTTP 429, with the seconds of its Retry-After header; the node gets nothing."""

    retry_after_s: int | None = None

    async def apply(self, call: Call, ask: Ask) -> Answer:
        return HttpFailure(429, self.retry_after_s, "Too Many Requests")


@dataclass(frozen=True, slots=True)
class ServerError(Fault):
    """An HTTP error with a page that is no JSON; with ``forward`` the node got the call all the same."""

    status: int = 503
    forward: bool = False

    async def apply(self, call: Call, ask: Ask) -> Answer:
        if self.forward:
            await ask(call)
        return HttpFailure(self.status, body="<html>upstream error</html>")


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """No answer for ``seconds``, then a reset; with ``forward`` the node got the call before."""

    seconds: float = 60.0
    forward: bool = False

    async def apply(self, call: Call, ask: Ask) -> Answer:
        if self.forward:
            await ask(call)
        await asyncio.sleep(self.seconds)
        return Cut()


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """The node answers, and the connection ends in the middle of its answer."""

    async def apply(self, call: Call, ask: Ask) -> Answer:
        answer = await ask(call)
        return Cut(answer) if isinstance(answer, Result | Refusal) else answer


@dataclass(frozen=True, slots=True)
class ResetBefore(Fault):
    """The connection is reset; the node got nothing."""

    async def apply(self, call: Call, ask: Ask) -> Answer:
        return Cut()


@dataclass(frozen=True, slots=True)
class ResetAfter(Fault):
    """The node got the call and acted on it; its answer is lost. The client sees what it sees of
    `ResetBefore`."""

    async def apply(self, call: Call, ask: Ask) -> Answer:
        await ask(call)
        return Cut()


@dataclass(frozen=True, slots=True)
class Duplicate(Fault):
    """The node gets the call ``copies`` times; the client gets the answer to the first or the last."""

    copies: int = 2
    answer: Literal["first", "last"] = "last"

    async def apply(self, call: Call, ask: Ask) -> Answer:
        answers = [await ask(call) for _ in range(self.copies)]
        return answers[0 if self.answer == "first" else -1]


@dataclass(frozen=True, slots=True)
class NeverBroadcast(Fault):
    """A send is acknowledged with its right hash, and goes nowhere. Other methods are left alone."""

    async def apply(self, call: Call, ask: Ask) -> Answer:
        if call.method != "eth_sendRawTransaction":
            return await ask(call)
        return Result("0x" + keccak(bytes.fromhex(call.params[0][2:])).hex())


@dataclass(frozen=True, slots=True)
class AnswerWith(Fault):
    """Whatever is asked, this is the result; the node gets nothing."""

    value: Any

    async def apply(self, call: Call, ask: Ask) -> Answer:
        return Result(self.value)


@dataclass(frozen=True, slots=True)
class Refuse(Fault):
    """The client is refused with this error inside HTTP 200; with ``forward`` the node took the call
    all the same. `dialects` has the words of the clients and providers."""

    refusal: Refusal
    forward: bool = False

    async def apply(self, call: Call, ask: Ask) -> Answer:
        if self.forward:
            await ask(call)
        return self.refusal


@dataclass(frozen=True, slots=True)
class DeafSocket(Fault):
    """The socket stays open and answers, and no event comes any more (set it on ``eth_subscription``)."""

    async def push(self, event: Any, ask: Ask) -> Any:
        return None
