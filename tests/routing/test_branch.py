"""With gas: the choice of pools equals the best of all choices, found by trying them all."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import A, B, make_pool, make_token, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import NoPoolError, NoRouteError
from onchain_exec.routing import GasModel, Network, Options, Shape, Swap, find_route
from onchain_exec.routing.solver.dual import Problem, solve
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

GRAPH = Options(shape=Shape.GRAPH)


def worth(route, gas):
    traded = route.amount_out if route.exact is Exact.IN else -route.amount_in
    return traded - gas.cost(route.gas_units)


def best_of_all_choices(terms, market, gas):
    found = []
    for size in range(1, len(market.pools) + 1):
        for pools in combinations(market.pools, size):
            try:
                found.append(worth(find_route(terms, replace(market, pools=pools), options=GRAPH), gas))
            except (NoPoolError, NoRouteError):
                continue
    return max(found)


@settings(max_examples=30)
@given(
    markets(max_pools=5, least=10**18, most=10**22),
    st.integers(10**14, 10**22),
    st.sampled_from(Exact),
    st.floats(-7, -1),
)
def test_find_route_with_gas_equals_the_best_of_all_choices(market, amount, exact, log_cost):
    terms = Swap(A, B, amount, exact)
    try:
        free = find_route(terms, market, options=GRAPH)
    except NoRouteError:
        assume(False)
    assume(not free.certificate.excluded)
    priced = free.amount_out if exact is Exact.IN else free.amount_in
    gas = GasModel(1, 10**log_cost * priced / 65_000)
    route = find_route(terms, market, gas, options=GRAPH)
    best = best_of_all_choices(terms, market, gas)
    slack = 2e-7 * priced + 10
    assert worth(route, gas) >= best - slack
    paid = gas.cost(route.gas_units)
    bound = route.bound - paid if exact is Exact.IN else -route.bound - paid
    assert bound >= best - 2


def test_find_route_worth_just_its_gas_is_found_and_proven():
    """The price of gas is the solver's own float of the output: the route is worth 0.0."""
    network = Network.build(pool_set(make_pool(1, (A, B), (10**24, 10**24))))
    sold, bought = network.number(A), network.number(B)
    edges = network.edges.take(np.flatnonzero(network.edges.source == sold))
    endowment = np.where(np.arange(2) == sold, 1e20, 0.0)
    value = solve(Problem(edges, endowment, bought, np.zeros(1)), np.zeros(2)).value
    gas = GasModel(1, value / 65_000)
    assert 65_000 * gas.token_per_wei == value
    route = find_route(Swap(A, B, 10**20), network, gas, options=GRAPH)
    assert route.amount_out <= route.bound <= route.amount_out * (1 + 1e-6)


@given(st.integers(10**5, 10**6), st.integers(10**5, 10**6), st.floats(0.01, 0.99), st.sampled_from(Exact))
def test_find_route_gas_of_less_than_a_unit_leaves_the_bound_a_bound(held, holds, cost, exact):
    """What is given is rounded down after gas, not before: a token of few decimals shows the difference."""
    market, gas = pool_set(make_pool(1, (A, B), (held, holds))), GasModel(1, cost / 65_000)
    assert find_route(Swap(A, B, 5_000, exact), market, gas, options=GRAPH).gap_bps >= 0


def test_find_route_time_limit_returns_what_was_found_with_its_gap():
    market = pool_set(*(make_pool(n, (A, B), (10**24 + n * 10**22, 10**24), 500 * n) for n in range(1, 13)))
    ticks = iter(range(10_000))
    options = Options(shape=Shape.GRAPH, time_limit_ms=0, clock=lambda: float(next(ticks)))
    gas = GasModel(1, 10**18 / 65_000)
    hurried = find_route(Swap(A, B, 10**23), market, gas, options=options)
    proven = find_route(Swap(A, B, 10**23), market, gas, options=GRAPH)
    assert hurried.gap_bps >= proven.gap_bps
    assert worth(hurried, gas) <= hurried.bound
    assert proven.gap_bps <= 0.01


@given(markets(max_pools=5, least=10**18, most=10**22), st.integers(10**14, 10**22), st.floats(-7, -1))
def test_find_route_a_rollups_fee_per_hop_weighs_as_much_as_gas(market, amount, log_cost):
    """On pools of one kind a fee per hop is gas by another name: the same pools are worth it."""
    terms, hop = Swap(A, B, amount), 65_000
    try:
        cost = 10**log_cost * find_route(terms, market, options=GRAPH).amount_out / hop
    except NoRouteError:
        assume(False)
    by_gas, by_data = GasModel(10**6, cost / 10**6), GasModel(0, cost / 10**6, hop * 10**6)
    gassy, rollup = (find_route(terms, market, gas, options=GRAPH) for gas in (by_gas, by_data))
    assert (rollup.legs, rollup.bound) == (gassy.legs, gassy.bound)


def test_find_route_pool_that_is_not_worth_its_ticks_is_left_out():
    """A ladder of thin ticks gives a little more than the pair, until each tick costs gas."""
    nets = {60 * step: 10**20 for step in range(-30, 0)} | {60 * step: -(10**20) for step in range(1, 31)}
    ticks = Ticks(60, tuple(sorted(nets)), tuple(nets[index] for index in sorted(nets)))
    ladder = UniswapV3Pool(
        make_token(90).address, A, B, Curve(get_sqrt_price_at_tick(0), 0, 30 * 10**20, 500, ticks)
    )
    pair = make_pool(1, (A, B), (10**23, 10**23), 500)
    terms = Swap(A, B, 10**21)
    free = find_route(terms, pool_set(pair, ladder), options=GRAPH)
    alone = find_route(terms, pool_set(pair), options=GRAPH)
    assert len(free.hops) == 2
    extra_gas = free.gas_units - alone.gas_units
    assert extra_gas > 100_000
    for part, hops in ((0.98, 2), (1.02, 1)):
        gas = GasModel(1, part * (free.amount_out - alone.amount_out) / extra_gas)
        route = find_route(terms, pool_set(pair, ladder), gas, options=GRAPH)
        assert len(route.hops) == hops
        assert worth(route, gas) >= max(worth(free, gas), worth(alone, gas))


@settings(max_examples=20)
@given(markets(max_pools=12, least=10**18, most=10**24), st.integers(1, 10**6), st.floats(-20, 3))
def test_find_route_of_more_than_all_pools_hold_is_refused_whatever_gas_costs(market, times, log_price):
    held = sum(max(pool.reserve0, pool.reserve1) for pool in market.pools)
    with pytest.raises((NoRouteError, NoPoolError)):
        find_route(Swap(A, B, held * times, Exact.OUT), market, GasModel(10**9, 10**log_price), options=GRAPH)
