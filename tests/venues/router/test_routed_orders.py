"""The law of the search and the router together: what is routed is what is executed, and it is never below
the best single pool after gas."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from router_market import BLOCK, RouterMarket, get_pair, make_terms

from onchain_exec.core import Address, Exact
from onchain_exec.errors import NoRouteError, PoolRevertError
from onchain_exec.routing import GasModel, Options, Route, Shape, Swap, find_route
from onchain_exec.routing.gas import ROUTE_GAS, TICK_GAS, hop_gas
from onchain_exec.venues import PoolSet
from onchain_exec.venues.router import RouterCall, build_router_call, plan_router_swap

_USD = {"USDC": 1, "DAI": 1, "WETH": 3_000, "WBTC": 60_000}
_GWEI = 10**9


def draw_order(market: RouterMarket, rng: Random) -> Swap:
    """Return an order of $100 to $1,000,000 between two of the four tokens."""
    token_in, token_out = rng.sample(list(market.deployment.tokens.values()), 2)
    exact = rng.choice((Exact.IN, Exact.OUT))
    counted = token_in if exact is Exact.IN else token_out
    usd = 10 ** rng.uniform(2, 6)
    return Swap(token_in, token_out, int(usd * 10**counted.decimals / _USD[counted.symbol]), exact)


def draw_gas(order: Swap, rng: Random) -> GasModel:
    """Return gas at a price from nothing to 100 gwei, in terms of the token that the search counts."""
    counted = order.token_out if order.exact is Exact.IN else order.token_in
    per_wei = 10**counted.decimals / _USD[counted.symbol] * _USD["WETH"] / 10**18
    return GasModel(rng.choice((0, 1, 10, 30, 100)) * _GWEI, per_wei)


def get_worth(order: Swap, amount: int, gas: GasModel, gas_units: int) -> int:
    """Return what a fill is worth after gas: more is better, either way round."""
    return (amount if order.exact is Exact.IN else -amount) - gas.cost(gas_units)


def list_single_worths(market: RouterMarket, order: Swap, gas: GasModel) -> list[int]:
    """Return what each pool of the pair alone would give, after its gas."""
    worths = []
    for pool in market.pools.values():
        if {order.token_in, order.token_out} <= {*pool.tokens}:
            try:
                done = pool.swap(order.token_in, order.token_out, order.amount, order.exact)
            except PoolRevertError:
                continue
            units = ROUTE_GAS + hop_gas(pool.kind) + TICK_GAS * done.ticks_crossed
            amount = done.amount_out if order.exact is Exact.IN else done.amount_in
            worths.append(get_worth(order, amount, gas, units))
    return worths


def execute(market: RouterMarket, route: Route) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return what the contracts took and gave, and what the models of the pools say of the same hops."""
    terms = make_terms(route.legs, route.exact, slack_bps=10)
    if route.exact is Exact.IN:
        terms = replace(terms, amount_in_max=route.amount_in, amount_out_min=route.amount_out)
    said = replay(market, route, plan_router_swap(route.legs, terms, market.router))
    call = build_router_call(route.legs, terms, market.router)
    return market.run(call, get_pair(route.legs), market.trader), said


def replay(market: RouterMarket, route: Route, call: RouterCall) -> tuple[int, int]:
    """Return what the planned hops take of token_in and give of token_out, run on the pools' models."""
    pools, held = dict(market.pools), Counter[Address]()
    for hop, planned in zip(route.hops, call.hops, strict=True):
        exact = Exact.OUT if planned.exact_out else Exact.IN
        amount = planned.amount or held[planned.token_in]
        done = pools[hop.pool.key].swap(hop.token_in, hop.token_out, amount, exact)
        pools[hop.pool.key] = done.pool_after
        held[planned.token_in] -= done.amount_in
        held[planned.token_out] += done.amount_out
    return -held[route.token_in.address], held[route.token_out.address]


def check_orders(market: RouterMarket, rng: Random, count: int) -> None:
    kinds, splits = set[str](), 0
    pools = PoolSet(BLOCK, tuple(market.pools.values()))
    for _ in range(count):
        order = draw_order(market, rng)
        gas = draw_gas(order, rng)
        shape = Shape.GRAPH if order.exact is Exact.IN else Shape.PATHS
        try:
            route = find_route(order, pools, gas, options=Options(shape=shape))
        except NoRouteError:
            assert not list_single_worths(market, order, gas)
            continue
        mark = market.evm.snapshot()
        ran, said = execute(market, route)
        market.evm.revert(mark)
        assert ran == said, order
        found = route.amount_out if order.exact is Exact.IN else route.amount_in
        if order.exact is Exact.IN:
            assert ran == (order.amount, route.amount_out)
        else:
            # rounding takes units on the way; paths that meet in a pool move it for one another
            met = len({hop.pool.key for hop in route.hops}) < len(route.hops)
            assert ran[1] >= order.amount
            assert ran[0] - route.amount_in <= max(1_000, route.amount_in // (10**4 if met else 10**9)), order
        singles = list_single_worths(market, order, gas)
        assert get_worth(order, found, gas, route.gas_units) >= max(singles, default=-(10**60)), order
        kinds |= {hop.pool.kind for hop in route.hops}
        splits += len(route.legs) > 1
    assert kinds >= {"uniswap_v2", "uniswap_v3", "uniswap_v4", "balancer_weighted"}
    assert splits


def test_routed_orders_execute_to_the_unit_and_beat_every_single_pool(
    market: RouterMarket, rng: Random
) -> None:
    check_orders(market, rng, 40)


@pytest.mark.deep
def test_routed_orders_two_hundred_execute_to_the_unit_and_beat_every_single_pool(
    market: RouterMarket, rng: Random
) -> None:
    check_orders(market, rng, 200)
