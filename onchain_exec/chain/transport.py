"""What every transport of JSON-RPC shares: numbered requests, batches within limits, and an end."""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from onchain_exec.chain.wire import Reply, Request, encode_request, read_batch, read_reply, split_batch
from onchain_exec.errors import NodeError, NodeRefusedError


class AsyncClosing(ABC):
    """What `close` ends, as an async context manager."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @abstractmethod
    async def close(self) -> None:
        """Release what is held."""


class Transport(AsyncClosing):
    """An `Rpc` (see there for what its methods raise) over a way to exchange one message for another.

    Batches are split to ``max_batch`` requests and ``max_body`` bytes, and the parts run side by side.
    """

    def __init__(self, where: str, max_batch: int, max_body: int) -> None:
        self.where = where
        self._max_batch, self._max_body = max_batch, max_body
        self._ids = itertools.count(1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.where!r})"

    @abstractmethod
    async def _exchange(self, first_id: int, message: bytes) -> Any:
        """Return the decoded answer to a message, whose ids begin with ``first_id``."""

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Return the result of one request."""
        request_id = next(self._ids)
        answer = await self._exchange(request_id, encode_request(request_id, (method, params)))
        return read_reply(answer, request_id, method, self.where)

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """Return the replies in the requests' order."""
        if len(requests) == 1:
            return (await self._ask(requests[0]),)
        first_id = next(self._ids)
        self._ids = itertools.count(first_id + len(requests))
        encoded = [encode_request(first_id + offset, request) for offset, request in enumerate(requests)]
        methods = [method for method, _ in requests]

        async def run(start: int, stop: int, body: bytes) -> tuple[Reply, ...]:
            answers = await self._exchange(first_id + start, body)
            return read_batch(answers, first_id + start, methods[start:stop], self.where)

        try:
            async with asyncio.TaskGroup() as group:
                parts = [
                    group.create_task(run(*part))
                    for part in split_batch(encoded, self._max_batch, self._max_body)
                ]
        except* NodeError as failures:
            raise _first(failures) from None
        return tuple(reply for part in parts for reply in part.result())

    async def _ask(self, request: Request) -> Reply:
        try:
            return await self.request(*request)
        except NodeRefusedError as refusal:
            return refusal


def _first(group: BaseExceptionGroup[NodeError]) -> NodeError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
