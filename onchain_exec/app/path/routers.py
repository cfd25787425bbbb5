"""The routers of a chain that an order's swap may go through, and the pools that they reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.pools.discovery import PROTOCOLS
from onchain_exec.core import Condition, Exact, Order
from onchain_exec.errors import ConfigError, UnsupportedOrderError
from onchain_exec.execution import Router
from onchain_exec.routing import Options, Shape
from onchain_exec.venues.balancer.pool import VAULT
from onchain_exec.venues.router import RouterDeployment
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment
from onchain_exec.venues.universal_router import UniversalRouter


def list_routers(profile: ChainProfile) -> Mapping[str, Router]:
    """Return the chain's routers by name, in the order of preference where their gas is the same.

    Raises:
        ConfigError: the chain has none listed with all that it was built for.
    """
    found = {
        "Router": find_router(profile),
        "SwapRouter02": _find_swap_router(profile),
        "Universal Router": _find_universal_router(profile),
    }
    routers = {name: router for name, router in found.items() if router is not None}
    if not routers:
        raise ConfigError(
            f"the chain {profile.name} has no complete router listed",
            needed="onchain_exec.router, or uniswap_v3.swap_router and the factories of uniswap_v2 and v3",
            todo="Add them to the profile",
        )
    return routers


def list_routers_of(profile: ChainProfile, order: Order) -> Mapping[str, Router]:
    """Return the routers that can run the order: ours alone where it has conditions.

    Raises:
        UnsupportedOrderError: it has conditions, and the chain has no Router of ours listed.
        ConfigError: as of `list_routers`.
    """
    require_runnable(profile, order.conditions)
    routers = list_routers(profile)
    if not order.conditions:
        return routers
    return {name: router for name, router in routers.items() if isinstance(router, RouterDeployment)}


def require_runnable(profile: ChainProfile, conditions: Sequence[Condition]) -> None:
    """Return if the chain can run an order's conditions.

    Raises:
        UnsupportedOrderError: there are some, and the chain has no Router of ours listed.
    """
    if conditions and find_router(profile) is None:
        raise UnsupportedOrderError(
            f"an order with {len(conditions)} conditions on {profile.name}, where no Router is listed",
            needed="onchain_exec.router in the chain's profile: no other router runs conditions",
            todo="Deploy contracts/Router.sol and name it in the profile, or trade without conditions",
        )


def list_executable(profile: ChainProfile) -> tuple[str, ...]:
    """Return the protocols whose pools the chain's routers run: all with our Router, else those of
    SwapRouter02, which needs no approval that outlives the swap."""
    return PROTOCOLS if find_router(profile) else ("uniswap_v2", "uniswap_v3")


def get_search(profile: ChainProfile, exact: Exact) -> Options:
    """Return how routes are searched for: flows split and merge where our Router runs them. Of an exact
    output it runs whole paths: only these can be given what rounding takes on the way."""
    graph = exact is Exact.IN and find_router(profile) is not None
    return Options(shape=Shape.GRAPH if graph else Shape.PATHS)


def find_router(profile: ChainProfile) -> RouterDeployment | None:
    """Return the chain's Router of ours, or None if it or what it was built for is not listed."""
    router = profile.get_contract("onchain_exec", "router")
    manager = profile.get_contract("uniswap_v4", "pool_manager")
    if router is None or manager is None:
        return None
    vault = profile.get_contract("balancer_v2", "vault") or VAULT
    return RouterDeployment(router, profile.wrapped_native.address, manager, vault)


def _find_swap_router(
    profile: ChainProfile, protocol: str = "uniswap_v3", role: str = "swap_router"
) -> SwapRouter | None:
    router = profile.get_contract(protocol, role)
    v2 = profile.get_contract("uniswap_v2", "factory")
    v3 = profile.get_contract("uniswap_v3", "factory")
    if router is None or v2 is None or v3 is None:
        return None
    return SwapRouter(router, UniswapV2Deployment(v2), UniswapV3Deployment(v3))


def _find_universal_router(profile: ChainProfile) -> UniversalRouter | None:
    pools = _find_swap_router(profile, "universal_router", "router")
    manager = profile.get_contract("uniswap_v4", "pool_manager")
    return None if pools is None or manager is None else UniversalRouter(pools, manager)
