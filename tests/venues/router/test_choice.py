"""The router that costs least, on the real contracts of all three."""

from __future__ import annotations

from random import Random

import pytest
from router_market import RouterMarket, make_terms

from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.core import ZERO_ADDRESS, Exact
from onchain_exec.core.fixed_point import MAX_UINT160
from onchain_exec.errors import NoRouteError, RevertError
from onchain_exec.venues.permit2 import APPROVE, PERMIT2
from onchain_exec.venues.router import (
    Candidate,
    Check,
    Comparison,
    Excluded,
    Routers,
    choose_candidate,
    list_candidates,
)
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment
from onchain_exec.venues.universal_router import UniversalRouter


@pytest.fixture
def routers(market: RouterMarket) -> Routers:
    """All routers of the sandbox, each allowed to take the trader's tokens."""
    protocols = market.deployment.protocols
    v2 = UniswapV2Deployment(protocols["uniswap_v2"]["factory"])
    v3 = UniswapV3Deployment(protocols["uniswap_v3"]["factory"])
    swap_router = SwapRouter(protocols["uniswap_v3"]["swap_router"], v2, v3)
    universal = protocols["universal_router"]["router"]
    for token in market.deployment.tokens.values():
        approve(market.evm, token, market.trader, swap_router.address)
        allow = APPROVE.encode(token.address, universal, MAX_UINT160, 2**48 - 1)
        market.evm.call(market.trader, PERMIT2, allow)
    pools = SwapRouter(universal, v2, v3)
    return Routers(market.router, UniversalRouter(pools, market.router.pool_manager), swap_router)


def measure(market: RouterMarket, candidates: tuple[Candidate, ...]) -> dict[str, int]:
    gas_units = {}
    for candidate in candidates:
        mark = market.evm.snapshot()
        try:
            market.evm.call(market.trader, candidate.to, candidate.data, candidate.value_wei)
            gas_units[candidate.name] = market.evm.gas_used
        except RevertError:
            pass
        market.evm.revert(mark)
    return gas_units


def test_choose_candidate_random_routes_takes_the_least_gas(
    market: RouterMarket, routers: Routers, rng: Random
) -> None:
    for _ in range(30):
        legs = market.draw_legs(rng, Exact.IN)
        candidates, excluded = list_candidates(legs, make_terms(legs, Exact.IN), routers)
        assert len(candidates) + len(excluded) == 3
        gas_units = measure(market, candidates)
        choice = choose_candidate(candidates, excluded, gas_units)
        assert gas_units[choice.chosen.name] == min(gas_units.values())
        assert str(choice).startswith(f"{choice.chosen.name} {min(gas_units.values()):,} gas")
        assert all(out.why in str(choice) for out in excluded)
        market.evm.call(market.trader, choice.chosen.to, choice.chosen.data, choice.chosen.value_wei)


def test_list_candidates_with_checks_is_our_router_alone(
    market: RouterMarket, routers: Routers, rng: Random
) -> None:
    legs = market.draw_legs(rng, Exact.IN)
    check = Check(ZERO_ADDRESS, b"", Comparison.EQUAL, 0)
    candidates, excluded = list_candidates(legs, make_terms(legs, Exact.IN), routers, (check,))
    assert [candidate.name for candidate in candidates] == ["Router"]
    assert {out.why for out in excluded} == {"it runs no checks"}


def test_choose_candidate_all_revert_raises_no_route_error() -> None:
    candidate = Candidate("Router", ZERO_ADDRESS, b"", 0)
    with pytest.raises(NoRouteError, match=r"Router: it reverts"):
        choose_candidate((candidate,), (Excluded("SwapRouter02", "elsewhere"),), {})
