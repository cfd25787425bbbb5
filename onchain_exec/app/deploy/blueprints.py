"""Each of our contracts as it is built on a chain, and the address that follows from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from onchain_exec.app.deploy.create2 import SALT, get_create2_address
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.core import Address
from onchain_exec.core.artifact import Artifact, get_artifact
from onchain_exec.core.encoding import get_encode
from onchain_exec.venues.balancer.pool import VAULT

OWN: Final = "onchain_exec"
"""The protocol under which a chain's profile lists our contracts, by `Blueprint.role`."""

ROUTER_NEEDS: Final = (("permit2", "permit2"), ("uniswap_v4", "pool_manager"))
"""The contracts of others, by protocol and role, without which there is no Router."""

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


def list_blueprints(
    wrapped_native: Address, protocols: Protocols, terms: Terms | None
) -> tuple[Blueprint, ...]:
    """Return what can be deployed on a chain, in an order in which nothing comes before what it needs: the
    Router where ``protocols`` hold what it is built for, Settle if there are ``terms`` (`list_left_out`)."""
    return tuple(_list(wrapped_native, protocols, terms))


def list_left_out(protocols: Protocols, terms: Terms | None) -> dict[str, str]:
    """Return which contracts `list_blueprints` leaves out, and why."""
    reasons: dict[str, str] = {}
    if missing := _find_missing(protocols):
        reasons["Router"] = f"the chain has no {' and no '.join(missing)}"
    if terms is None:
        reasons["Settle"] = "nobody said who may stop it until when, and when it ends"
    if terms is None or missing or terms.solver_owner is None:
        reasons["Solver"] = "it needs a Router, a Settle and an owner"
    return reasons


def _find_missing(protocols: Protocols) -> tuple[str, ...]:
    return tuple(f"{name}.{role}" for name, role in ROUTER_NEEDS if role not in protocols.get(name, {}))


def _list(wrapped_native: Address, protocols: Protocols, terms: Terms | None) -> Iterator[Blueprint]:
    yield Blueprint("Lens")
    yield Blueprint("Guard")
    router = None if _find_missing(protocols) else _draw_router(wrapped_native, protocols)
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
