"""Swaps through the routers of Solidly, Velodrome and Aerodrome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from onchain_exec.core import Address, Exact
from onchain_exec.core.abi import Function
from onchain_exec.errors import InputError
from onchain_exec.venues.pool import Hop, Leg
from onchain_exec.venues.solidly.pool import SolidlyPool
from onchain_exec.venues.terms import SwapTerms

_SWAP: Final = "swapExactTokensForTokens(uint256,uint256,{}[],address,uint256)"
_SWAP_V1: Final = Function(_SWAP.format("(address,address,bool)"), "(uint256[])")
_SWAP_V2: Final = Function(_SWAP.format("(address,address,bool,address)"), "(uint256[])")


@dataclass(frozen=True, slots=True)
class SolidlyRouter:
    """A router, and the factory whose pools it is to take: None for the routers of Solidly and Velodrome
    v1, which know but one."""

    address: Address
    factory: Address | None = None


def build_solidly_call(leg: Leg, terms: SwapTerms, router: SolidlyRouter) -> tuple[Address, bytes, int]:
    """Return (to, calldata, 0) of ``Router.swapExactTokensForTokens`` along a leg of Solidly's pools.

    Whoever sends it lets the router take token_in.

    Raises:
        InputError: an exact output, which these routers do not have, or a pool of another kind.
    """
    if terms.exact is Exact.OUT:
        raise InputError("an exact output", needed="an exact input: Solidly's routers have no other")
    function = _SWAP_V1 if router.factory is None else _SWAP_V2
    routes = [_make_route(hop, router) for hop in leg.hops]
    bounds = terms.amount_in_max, terms.amount_out_min
    return router.address, function.encode(*bounds, routes, terms.recipient, terms.deadline_at), 0


def _make_route(hop: Hop, router: SolidlyRouter) -> tuple[Any, ...]:
    if not isinstance(hop.pool, SolidlyPool):
        raise InputError(
            f"the router at {router.address} does not reach {hop.pool.key}", needed="Solidly pools"
        )
    factory = () if router.factory is None else (router.factory,)
    return hop.token_in.address, hop.token_out.address, hop.pool.stable, *factory
