"""What reaches a node by JSON-RPC. It answers or raises: nothing is retried here, least of all a send."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from onchain_exec.chain.decode import to_hex
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import ConfigError, NodeError, NodeUnreachableError


class Rpc(Protocol):
    """What reaches a node: one HTTP endpoint, a socket, or a pool of them.

    A method returns the node's answer or raises one of the typed errors; it never repeats a request
    that may have reached the node.
    """

    @property
    def where(self) -> str:
        """Scheme and host, for people: never the path, query or user part, which may hold a key."""
        ...

    async def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        """Return the result of one request.

        Raises:
            NodeUnreachableError: no connection, no answer in time, or no JSON-RPC answer.
            RateLimitedError: the node asks to slow down.
            NodeRefusedError: the node answered with an error object.
        """
        ...

    async def batch(self, requests: Sequence[Request]) -> tuple[Reply, ...]:
        """Return the replies in the requests' order; a single refusal is returned, not raised.

        Raises:
            NodeUnreachableError, RateLimitedError: as for `request`, for any part.
            NodeRefusedError: the node refused a batch as a whole.
        """
        ...

    async def close(self) -> None:
        """Release the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one endpoint said to signed bytes: the hash it names, or its error.

    NodeUnreachableError is AMBIGUOUS: it may have taken them.
    """

    where: str
    reply: str | NodeError


@runtime_checkable
class Broadcaster(Protocol):
    """An `Rpc` that reaches several endpoints which take transactions."""

    @property
    def takes_private(self) -> bool:
        """Whether there is an endpoint for private bytes."""
        ...

    async def broadcast(
        self, raw: bytes, *, private: bool = False, only: Collection[str] = ()
    ) -> tuple[Delivery, ...]:
        """Hand signed bytes once to each endpoint that takes public transactions, or once to each
        that takes private ones; what the former get never was private, and the reverse. ``only`` names
        those of them that get the bytes, where at least one of the names is one of theirs.

        Raises:
            ConfigError: there is no such endpoint; nothing was sent.
        """
        ...


@runtime_checkable
class HasUrls(Protocol):
    """An `Rpc` over HTTP endpoints, for code that takes nothing but a URL."""

    async def find_urls(self, block_hash: str) -> tuple[str, ...]:
        """Return the URLs of the endpoints that have the block, the best first. They may hold keys.

        Raises:
            NodeError: there is none.
        """
        ...


async def deliver(rpc: Rpc, raw: bytes) -> Delivery:
    """Hand signed bytes to one endpoint, once, and return what it said. Nothing it does is raised."""
    try:
        return Delivery(rpc.where, str(await rpc.request("eth_sendRawTransaction", (to_hex(raw),))).lower())
    except NodeError as error:
        return Delivery(rpc.where, error)


def get_where(url: str, schemes: Sequence[str]) -> str:
    """Return scheme and host of a URL.

    Raises:
        ConfigError: it has none of these schemes, no host, or no such port. The URL is not shown.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme in schemes and parts.hostname:
            port = f":{parts.port}" if parts.port else ""
            return f"{parts.scheme}://{parts.hostname}{port}"
    except ValueError:  # not chained: its text can hold a part of the URL, and that a password
        pass
    raise ConfigError(
        f"the node URL is no {schemes[0]} address",
        needed=" or ".join(f"{scheme}://HOST[:PORT]/..." for scheme in schemes),
    )


def name_failure(error: Exception) -> str:
    """Return what the system calls a failure, or what kind of error it is. An error's own text can hold the
    URL, and that a key."""
    number = getattr(error, "errno", None)
    if not number:
        return type(error).__name__
    return os.strerror(number) if number > 0 else "the host's name is not known"


def unreachable(where: str, failure: str) -> NodeUnreachableError:
    """Return the error of an endpoint that gave no usable answer."""
    return NodeUnreachableError(
        f"{where} gave no usable answer: {failure}",
        needed="a JSON-RPC answer",
        todo="Check that the node runs and the URL is right, or add another endpoint",
    )
