"""What a route must lose: against all ways, one by one, and against what routes give in exact integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import A, B, make_pool, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError
from onchain_exec.routing import GasModel, Network, Options, Shape, Swap, find_route
from onchain_exec.routing.solver.certificate import Case, Ways, find_bounds
from onchain_exec.routing.solver.dual import Problem
from onchain_exec.routing.solver.ways import find_least_losses

SIZE = 5
edges_and_losses = st.lists(
    st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1), st.integers(0, 100)),
    min_size=1,
    max_size=12,
)


def list_ways(edges, start, end, been=()):
    """Every way from ``start`` to ``end`` that goes through no token twice, as numbers of edges."""
    if start == end:
        yield ()
        return
    for number, (source, target, *_) in enumerate(edges):
        if source == start and target not in (*been, start):
            yield from ((number, *rest) for rest in list_ways(edges, target, end, (*been, start)))


@given(edges_and_losses)
def test_find_least_losses_equals_the_least_of_all_ways(edges):
    source, target, loss = (np.array(column) for column in zip(*edges, strict=True))
    found = find_least_losses(source, target, loss.astype(float), (0, 1), SIZE)

    def least(start, end):
        return min((sum(loss[list(way)]) for way in list_ways(edges, start, end)), default=np.inf)

    expected = [least(0, edge[0]) + edge[2] + least(edge[1], 1) for edge in edges]
    assert found.tolist() == expected


def run_way(network, edges, way, amount):
    """What a way gives in exact integers, or None where a pool refuses."""
    for edge in way:
        token_in, token_out = (network.tokens[ends[edge]] for ends in (edges.source, edges.target))
        try:
            amount = network.pools[edges.pool[edge]].quote(token_in, token_out, amount, Exact.IN)
        except PoolRevertError:
            return None
    return amount


@given(
    markets(max_pools=6, least=10**12, most=10**20),
    st.integers(10**6, 10**19),
    st.lists(st.floats(-4, 4), min_size=4, max_size=4),
    st.floats(-6, 0),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_find_bounds_at_any_prices_no_way_is_worth_more(market, amount, prices, log_cost, shared, random):
    """Whatever is decided, whatever edges pay one another, and whichever stand beside: not even over the
    edges in question."""
    network = Network.build(market)
    edges, size = network.edges, len(network.tokens)
    first, last = network.number(A), network.number(B)
    log_prices = np.array(prices[:size])
    log_prices[last] = 0.0
    endowment = np.zeros(size)
    endowment[first] = amount
    cost = 10**log_cost * amount
    whole = Problem(edges, endowment, last, np.full(len(edges), cost))
    inside = np.array([random.random() < 0.7 for _ in range(len(edges))])
    index, beside = np.flatnonzero(inside), np.flatnonzero(~inside)
    problem, ways = whole.take(index), Ways((first, last), whole.take(beside))
    paid = np.array([[random.random() * cost for _ in index] for _ in range(2)]) if shared else None
    pairs = list(zip(edges.source.tolist(), edges.target.tolist(), strict=True))
    for way in list_ways(pairs, first, last):
        given_out = run_way(network, edges, way, amount)
        pools = [int(edges.pool[edge]) for edge in way]
        if given_out is None or len(set(pools)) < len(pools):
            continue
        used = np.isin(np.append(index, beside), way)
        on = np.flatnonzero(used & (np.array([random.random() < 0.3 for _ in used], bool)))
        off = np.flatnonzero(~used & (np.array([random.random() < 0.3 for _ in used], bool)))
        bounds = find_bounds(problem, Case(log_prices, on, off, paid), ways)
        worth = given_out - cost * len(way) - 1e-9 * (given_out + cost)
        assert worth <= bounds.whole
        assert all(worth <= bounds.using[edge] for edge in np.flatnonzero(used))
        free = ~used
        free[off] = False
        assert all(worth <= bounds.without[edge] for edge in np.flatnonzero(free))


@pytest.mark.parametrize("exact", Exact)
def test_find_route_small_order_is_proven_by_the_price_of_its_only_pool(exact):
    """No split is worth a second swap's gas: that a route pays for one is in the bound of all choices."""
    market = pool_set(*(make_pool(n, (A, B), (10**24 + n * 10**21, 10**24), 500) for n in range(1, 9)))
    hurried = Options(shape=Shape.GRAPH, time_limit_ms=0, clock=iter(range(10_000)).__next__)
    gas = GasModel(1, 10**16 / 65_000)
    route = find_route(Swap(A, B, 10**19, exact), market, gas, options=hurried)
    assert len(route.hops) == 1
    assert 0 <= route.gap_bps <= 0.001
