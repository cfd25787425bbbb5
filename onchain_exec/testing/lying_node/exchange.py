"""What a client asks and what it gets back, over HTTP and over a socket alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Call:
    """One JSON-RPC request, without its id."""

    method: str
    params: Any = ()

    def get(self, index: int, default: Any = None) -> Any:
        """Return a positional parameter, or ``default`` where there is none."""
        return self.params[index] if index < len(self.params) else default


@dataclass(frozen=True, slots=True)
class Result:
    """The node answered."""

    value: Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """The node answered with a JSON-RPC error, inside HTTP 200."""

    code: int
    message: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class HttpFailure:
    """HTTP says no, for the whole exchange. On a socket, which has no statuses, it is closed."""

    status: int
    retry_after_s: int | None = None
    body: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends: with a reset, or after the first half of the bytes of ``answer``."""

    answer: Result | Refusal | None = None


Answer: TypeAlias = Result | Refusal | HttpFailure | Cut
Ask: TypeAlias = Callable[[Call], Awaitable[Answer]]


class Backend(Protocol):
    """What answers a call that no fault kept from it: the node, or a model in front of it."""

    async def ask(self, call: Call) -> Answer:
        """Return the honest answer to one call."""
        ...

    async def ask_all(self, calls: Sequence[Call]) -> list[Answer]:
        """Return the honest answers to a batch, in its order."""
        ...
