"""Each of our contracts as it is built on a chain, and the address that follows from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from onchain_exec.app.deploy.create2 import SALT, get_create2_address
from onchain_exec.core import Address
from onchain_exec.core.artifact import Artifact, get_artifact
from onchain_exec.core.encoding import get_encode
from onchain_exec.errors import ConfigError
from onchain_exec.venues.balancer.pool import VAULT

OWN: Final = "onchain_exec"
"""The protocol under which a chain's profile lists our contracts, by `Blueprint.role`."""

Protocols = Mapping[str, Mapping[str, Address]]
"""Contracts by protocol and role, as `ChainProfile` has them."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A contract and its constructor's ``arguments`` by name, in order."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """What a chain's profile calls it."""
        return self.name.lower()

    @property
    def artifact(self) -> Artifact:
        """What is shipped of it."""
        return get_artifact(self.name)

    @property
    def init_code(self) -> bytes:
        """The code that creates it, with its arguments."""
        inputs = next((item["inputs"] for item in self.artifact.abi if item["type"] == "constructor"), ())
        encode = get_encode(tuple(item["type"] for item in inputs))
        return self.artifact.bytecode + encode(tuple(self.arguments[item["name"]] for item in inputs))

    @property
    def call_data(self) -> bytes:
        """What the proxy must be called with to create it."""
        return SALT + self.init_code

    @property
    def address(self) -> Address:
        """Where it stands, on every chain on which it has the same arguments."""
        return get_create2_address(self.init_code)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a `Settle` is built with: who may stop it until when, when it ends for good (unix seconds); and
    who owns the `Solver` beside it, None for no Solver."""

    guardian: Address
    guardian_until: int
    sunset_at: int
    solver_owner: Address | None = None

    def __post_init__(self) -> None:
        if not 0 < self.guardian_until <= self.sunset_at < 1 << 32:
            raise ConfigError(
                f"the guardian's time ends at {self.guardian_until}, the sunset is at {self.sunset_at}",
                needed="unix seconds of 32 bits, as deadlines are; the sunset not before the guardian's end",
            )


def list_blueprints(
    wrapped_native: Address, protocols: Protocols, terms: Terms | None
) -> tuple[Blueprint, ...]:
    """Return what can be deployed on a chain, in an order in which nothing comes before what it needs: the
    Router where ``protocols`` hold what it is built for (`find_missing`), Settle if there are ``terms``."""
    return tuple(_list(wrapped_native, protocols, terms))


def find_missing(protocols: Protocols) -> tuple[str, ...]:
    """Return which contracts of others a chain lacks for the Router."""
    needed = ("permit2", "permit2"), ("uniswap_v4", "pool_manager")
    return tuple(f"{name}.{role}" for name, role in needed if role not in protocols.get(name, {}))


def _list(wrapped_native: Address, protocols: Protocols, terms: Terms | None) -> Iterator[Blueprint]:
    yield Blueprint("Lens")
    yield Blueprint("Guard")
    router = None if find_missing(protocols) else _draw_router(wrapped_native, protocols)
    if router:
        yield router
    if terms:
        settle = Blueprint(
            "Settle",
            {
                "guardian": terms.guardian,
                "guardianUntil": terms.guardian_until,
                "sunsetAt": terms.sunset_at,
            },
        )
        yield settle
        if router and terms.solver_owner:
            owned = {"owner_": terms.solver_owner, "settle_": settle.address, "router": router.address}
            yield Blueprint("Solver", owned)


def _draw_router(wrapped_native: Address, protocols: Protocols) -> Blueprint:
    return Blueprint(
        "Router",
        {
            "permit2": protocols["permit2"]["permit2"],
            "wrapped": wrapped_native,
            "poolManager": protocols["uniswap_v4"]["pool_manager"],
            "vault": protocols.get("balancer_v2", {}).get("vault", VAULT),
        },
    )
