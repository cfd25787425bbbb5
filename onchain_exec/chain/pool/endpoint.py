"""Where a chain is reached, what each place is for, and what it bears."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Final

from onchain_exec.errors import ConfigError


class Role(enum.Enum):
    """What an endpoint is for."""

    READ = "read"
    SEND = "send"
    """It takes transactions that anybody may see."""

    PRIVATE = "private"
    """It takes transactions that must not reach the public pool, and nothing else of ours."""


PUBLIC_ROLES: Final = frozenset({Role.READ, Role.SEND})
_RELAY: Final = "relay+"
_SCHEMES: Final = ("http://", "https://", "ws://", "wss://", "ipc://")


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """What a provider allows. ``requests_per_s`` None is no limit; a batch counts each of its requests.

    ``max_body`` is in bytes; ``timeout_s`` bounds one answer. Where another endpoint could answer
    instead, ``patience_s`` is the least time that this one is given: more where it usually takes more.
    """

    requests_per_s: float | None = None
    max_batch: int = 100
    max_body: int = 1_000_000
    timeout_s: float = 10.0
    patience_s: float = 0.2

    def __post_init__(self) -> None:
        for limit in dataclasses.fields(self):
            value = getattr(self, limit.name)
            if value is not None and value <= 0:
                raise ConfigError(f"an endpoint's {limit.name} is {value}", needed="more than 0")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One URL (``http``, ``https``, ``ws``, ``wss`` or ``ipc``) and its roles; the URL never prints.

    A ``relay`` is private and reached by HTTP; it is given transactions by ``eth_sendPrivateTransaction``,
    and requests that are signed.

    Raises:
        ConfigError: the URL has another scheme, there is no role, it is private and public at once, or a
            relay that is not private.
    """

    url: str = field(repr=False)
    roles: frozenset[Role] = PUBLIC_ROLES
    limits: EndpointLimits = EndpointLimits()
    relay: bool = False

    def __post_init__(self) -> None:
        if not self.url.startswith(_SCHEMES):
            raise ConfigError(
                "a node URL has no scheme or role that is known",
                needed="[read+|send+|private+|relay+]https://HOST/...",
            )
        if not self.roles:
            raise ConfigError("an endpoint has no role", needed="read, send, both, or private")
        if Role.PRIVATE in self.roles and len(self.roles) > 1:
            raise ConfigError("an endpoint is private and public at once", needed="private alone")
        if self.relay and (Role.PRIVATE not in self.roles or not self.url.startswith("http")):
            raise ConfigError("a relay that is not private, or not reached by HTTP", needed="both")


def parse_endpoints(text: str) -> tuple[Endpoint, ...]:
    """Return the endpoints of ``url1 send+url2 private+url3 relay+url4``: URLs apart by spaces.

    A URL is for reads and public sends unless roles stand before it: ``read+``, ``send+``,
    ``read+send+``, ``private+``; ``relay+`` before one makes it a relay.

    Raises:
        ConfigError: none is given, or one is none (see `Endpoint`).
    """
    endpoints = tuple(_parse(item) for item in text.split())
    if not endpoints:
        raise ConfigError("no node URL is given", needed="one URL, or several apart by spaces")
    return endpoints


def _parse(item: str) -> Endpoint:
    if item.startswith(_RELAY):
        return Endpoint(item.removeprefix(_RELAY), frozenset({Role.PRIVATE}), relay=True)
    roles: set[Role] = set()
    names = {role.value: role for role in Role}
    while (prefix := item.partition("+"))[0] in names:
        roles.add(names[prefix[0]])
        item = prefix[2]
    return Endpoint(item, frozenset(roles) or PUBLIC_ROLES)
