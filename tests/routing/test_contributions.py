"""What edges pay one another: never more than they are given, and it closes gaps that prices cannot."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import A, B, C, make_pool, markets, pool_set
from test_least_losses import list_ways

from onchain_exec.routing import GasModel, Network, Options, Shape, Swap, find_route
from onchain_exec.routing.solver.certificate import Case, Ways, find_bounds
from onchain_exec.routing.solver.contributions import share_costs
from onchain_exec.routing.solver.dual import Problem
from onchain_exec.routing.solver.relaxation import Relaxation

randoms = st.randoms(use_true_random=False)


def make_problem(market, sold, cost):
    network = Network.build(market)
    endowment = np.zeros(len(network.tokens))
    endowment[network.number(A)] = sold
    return Problem(network.edges, endowment, network.number(B), np.full(len(network.edges), cost))


def draw(random, *shape):
    return np.array([random.random() for _ in range(int(np.prod(shape)))]).reshape(shape)


@settings(max_examples=50)
@given(markets(max_pools=8), randoms)
def test_share_costs_of_any_route_come_to_no_more_than_the_true_ones(market, random):
    """A route is some ways together, over edges of the problem and others."""
    whole = make_problem(market, 1.0, 1.0)
    inside = draw(random, len(whole.edges)) < 0.7
    problem, beside = whole.take(np.flatnonzero(inside)), whole.take(np.flatnonzero(~inside))
    shared = np.empty(len(inside))
    paid = 2 * draw(random, 2, len(problem.edges)) * (draw(random, 2, len(problem.edges)) < 0.2)
    shared[inside], shared[~inside] = share_costs(problem, beside, paid)
    pairs = list(zip(whole.edges.source.tolist(), whole.edges.target.tolist(), strict=True))
    ways = list(list_ways(pairs, int(np.argmax(whole.endowment)), whole.target))
    for count in range(1, min(5, len(ways)) + 1):
        used = sorted({edge for way in random.sample(ways, count) for edge in way})
        assert shared[used].sum() <= len(used)


@settings(max_examples=30)
@given(markets(max_pools=6, least=10**18, most=10**22), st.floats(-4, -1), randoms)
def test_relax_no_other_prices_and_payments_bound_much_better(market, log_cost, random):
    """Rounded off kinks are at most the softness times log(2) too high each."""
    problem = make_problem(market, 1e20, 1e20 * 10**log_cost)
    none, count = problem.take(np.empty(0, np.intp)), len(problem.edges)
    relaxed = Relaxation(problem, none).relax(Case(np.zeros(len(problem.endowment))), 0.01).case
    found = find_bounds(problem, relaxed, Ways(None, none)).whole
    slack = problem.costs[0] * 0.01 * (count * np.log(2) + 1)
    for spread in (0.001, 0.01, 0.1, 1.0):
        off = spread * (draw(random, len(problem.endowment)) - 0.5)
        off[problem.target] = 0.0
        paid = np.abs(relaxed.paid + spread * problem.costs[0] * (draw(random, 2, count) - 0.5))
        other = Case(relaxed.log_prices + off, paid=paid)
        assert found <= find_bounds(problem, other, Ways(None, none)).whole + slack


def test_find_route_detour_worth_its_three_swaps_is_nearly_proven_at_once():
    """Of its wide first pool a small part would do, if gas could be paid in part: the gap would be a swap."""
    direct = make_pool(1, (A, B), (10**22, 10**22))
    first = make_pool(2, (A, C), (10**27, 10**27))
    lasts = (make_pool(number, (C, B), (10**20, 10**20)) for number in (3, 4))
    market, terms, graph = pool_set(direct, first, *lasts), Swap(A, B, 10**21), Options(shape=Shape.GRAPH)
    free, alone = (find_route(terms, pools, options=graph) for pools in (market, pool_set(direct)))
    gas = GasModel(1, (free.amount_out - alone.amount_out) / 3.3 / 65_000)
    hurried = Options(shape=Shape.GRAPH, time_limit_ms=0, clock=iter(range(10_000)).__next__)
    route = find_route(terms, market, gas, options=hurried)
    assert len(route.hops) == 4
    assert 0 <= route.bound - route.amount_out <= 0.1 * gas.cost(65_000)
