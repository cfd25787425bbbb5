"""Which router runs a route for the least gas: every one that can, then the one that simulation finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from onchain_exec.core import Address
from onchain_exec.errors import InputError, NoRouteError
from onchain_exec.venues.pool import Leg
from onchain_exec.venues.router.codec import Check
from onchain_exec.venues.router.place import RouterDeployment
from onchain_exec.venues.router.plan import build_router_call
from onchain_exec.venues.swap_router import SwapRouter, SwapTerms, build_swap_call
from onchain_exec.venues.universal_router import UniversalRouter, build_universal_call

_Build: TypeAlias = Callable[[], tuple[Address, bytes, int]]


@dataclass(frozen=True, slots=True)
class Routers:
    """The routers of a chain, in the order of preference where their gas is the same."""

    router: RouterDeployment | None = None
    universal_router: UniversalRouter | None = None
    swap_router: SwapRouter | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A router's call that fills the route."""

    name: str
    to: Address
    data: bytes
    value_wei: int


@dataclass(frozen=True, slots=True)
class Excluded:
    """A router that cannot fill the route."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The call that costs least, beside what the others cost and why some cannot. As text it is a line
    for people."""

    chosen: Candidate
    gas_units: Mapping[str, int]
    excluded: tuple[Excluded, ...]

    def __str__(self) -> str:
        ranked = sorted(self.gas_units, key=lambda name: (name != self.chosen.name, self.gas_units[name]))
        costs = [f"{name} {self.gas_units[name]:,} gas" for name in ranked]
        return "; ".join([*costs, *(f"not {out.name}: {out.why}" for out in self.excluded)])


def list_candidates(
    legs: tuple[Leg, ...], terms: SwapTerms, routers: Routers, checks: tuple[Check, ...] = ()
) -> tuple[tuple[Candidate, ...], tuple[Excluded, ...]]:
    """Return the calls of the routers that can fill ``legs``, and the routers that cannot, with reasons.

    All are paid by allowance: the Universal Router through Permit2. Only our Router runs ``checks``.
    """
    candidates, excluded = list[Candidate](), list[Excluded]()
    for name, build in _list_builds(legs, terms, routers, checks):
        if checks and name != "Router":
            excluded.append(Excluded(name, "it runs no checks"))
            continue
        try:
            candidates.append(Candidate(name, *build()))
        except InputError as error:
            excluded.append(Excluded(name, error.found))
    return tuple(candidates), tuple(excluded)


def choose_candidate(
    candidates: tuple[Candidate, ...], excluded: tuple[Excluded, ...], gas_units: Mapping[str, int]
) -> Choice:
    """Return the candidate with the least of ``gas_units``, by name, as simulations at one block found
    them; a candidate without gas has reverted there.

    Raises:
        NoRouteError: no candidate has gas.
    """
    reverted = tuple(
        Excluded(candidate.name, "it reverts") for candidate in candidates if candidate.name not in gas_units
    )
    able = [candidate for candidate in candidates if candidate.name in gas_units]
    if not able:
        shown = "; ".join(f"{out.name}: {out.why}" for out in (*excluded, *reverted))
        raise NoRouteError("no router fills the route", needed="one that does", todo=shown)
    chosen = min(able, key=lambda candidate: gas_units[candidate.name])
    return Choice(chosen, gas_units, (*excluded, *reverted))


def _list_builds(
    legs: tuple[Leg, ...], terms: SwapTerms, routers: Routers, checks: tuple[Check, ...]
) -> list[tuple[str, _Build]]:
    builds: list[tuple[str, _Build]] = []
    if (ours := routers.router) is not None:
        builds.append(("Router", lambda: build_router_call(legs, terms, ours, checks)))
    if (universal := routers.universal_router) is not None:
        builds.append(("Universal Router", lambda: build_universal_call(legs, terms, universal)))
    if (swap_router := routers.swap_router) is not None:
        builds.append(("SwapRouter02", lambda: build_swap_call(legs, terms, swap_router)))
    return builds
