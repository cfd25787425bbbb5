"""Certificates, checked by arithmetic that knows nothing of the solver: 60-digit decimals and exact swaps."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext
from itertools import pairwise, permutations
from math import ceil, floor

import pytest
from exact_dual import best_profit, dual_value
from hypothesis import assume, given
from hypothesis import strategies as st
from markets import A, B, C, D, make_pool, make_token, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import NoRouteError, PoolRevertError
from onchain_exec.routing import Options, Shape, Swap, find_route

GRAPH = Options(shape=Shape.GRAPH, max_hops=6)
amounts = st.integers(10**6, 10**28)


def find_or_skip(market, amount, exact, options=GRAPH):
    try:
        return find_route(Swap(A, B, amount, exact), market, options=options)
    except NoRouteError:
        assume(False)


@given(markets(), amounts, st.sampled_from(Exact))
def test_bound_is_the_duals_value_at_the_reported_prices(market, amount, exact):
    route = find_or_skip(market, amount, exact)
    assume(not route.certificate.excluded)
    owned = {A: route.amount_in} if exact is Exact.IN else {B: -route.amount_out}
    value, slack = dual_value(
        market, route.certificate, owned, lambda token_in, token_out: token_out != A and token_in != B
    )
    loose = value + slack
    if exact is Exact.IN:
        assert floor(value) <= route.bound <= loose + 1
    else:
        assert max(ceil(-value), 1) >= route.bound >= -loose - 1  # nothing is had for nothing


@given(markets(least=10**18, most=10**22), st.integers(10**14, 10**24), st.sampled_from(Exact))
def test_gap_is_rounding_only(market, amount, exact):
    route = find_or_skip(market, amount, exact)
    assume(not route.certificate.excluded)
    found = route.amount_out if exact is Exact.IN else route.amount_in
    short = (route.bound - found) if exact is Exact.IN else found - route.bound
    marginal = max(price for price in route.certificate.prices.values())
    assert 0 <= short <= 1e-8 * route.bound + 4 * (1 + marginal) * (len(route.hops) + 1)


@given(markets(), amounts, st.lists(st.integers(0, 100), min_size=1, max_size=8))
def test_no_other_split_beats_the_bound(market, amount, weights):
    """Any division of the amount over paths of one or two pools, settled exactly, gives no more."""
    route = find_or_skip(market, amount, Exact.IN)
    assume(not route.certificate.excluded and sum(weights))
    state = {pool.key: pool for pool in market.pools}
    paths = [(pool,) for pool in market.pools] + list(permutations(market.pools, 2))
    given_out = 0
    for path, weight in zip(paths, weights, strict=False):
        given_out += run_path(state, path, amount * weight // sum(weights))
    assert given_out <= route.bound


def run_path(state, path, amount):
    """Run a path if it leads from A to B; a part that reverts gives nothing."""
    middles = [token for token in path[0].tokens if token not in (A, B)][: len(path) - 1]
    tokens = (A, *middles, B)
    if len(tokens) != len(path) + 1 or any(
        not set(pair) <= set(pool.tokens) for pool, pair in zip(path, pairwise(tokens), strict=True)
    ):
        return 0
    for pool, pair in zip(path, pairwise(tokens), strict=True):
        try:
            done = state[pool.key].swap(*pair, amount, Exact.IN)
        except PoolRevertError:
            return 0
        state[pool.key], amount = done.pool_after, done.amount_out
    return amount


@given(markets(), amounts, st.sampled_from(Exact))
def test_graph_conserves_every_token_and_breaks_no_invariant(market, amount, exact):
    route = find_or_skip(market, amount, exact)
    balance = defaultdict(int)
    for hop in route.hops:
        balance[hop.token_in] -= hop.amount_in
        balance[hop.token_out] += hop.amount_out
        fixed = hop.amount_in if exact is Exact.IN else hop.amount_out
        after = hop.pool.swap(hop.token_in, hop.token_out, fixed, exact).pool_after
        assert after.reserve0 * after.reserve1 >= hop.pool.reserve0 * hop.pool.reserve1
    assert {token for token, left in balance.items() if left} <= {A, B}
    assert (-balance[A], balance[B]) == (route.amount_in, route.amount_out)
    assert len({hop.pool.key for hop in route.hops}) == len(route.hops)


def test_graph_legs_that_join_midway_take_what_the_legs_before_gave():
    """Two pools lead to C and two lead on: the legs meet there, and C's balance is 0 at the end."""
    market = pool_set(
        *(make_pool(number, (A, C), (number * 10**22, number * 10**22)) for number in (1, 2)),
        *(make_pool(number, (C, B), (number * 10**22, number * 10**22)) for number in (3, 4)),
    )
    for exact in Exact:
        route = find_route(Swap(A, B, 10**21, exact), market, options=GRAPH)
        assert {(leg.hops[0].token_in, leg.hops[-1].token_out) for leg in route.legs} == {(A, C), (C, B)}
        assert len(route.legs) == 4
        balance = defaultdict(int, {A: route.amount_in})
        for leg in route.legs:
            balance[leg.hops[0].token_in] -= leg.amount_in
            assert min(balance.values()) >= 0
            balance[leg.hops[-1].token_out] += leg.amount_out
        assert {token: left for token, left in balance.items() if left} == {B: route.amount_out}


@given(markets(), amounts)
def test_used_pools_trade_what_earns_most_at_the_reported_prices(market, amount):
    """What pools earn less than they could, at the prices that prove the bound, is all of the gap."""
    route = find_or_skip(market, amount, Exact.IN)
    assume(not route.certificate.excluded)
    with localcontext() as context:
        context.prec = 60
        prices = {token.address: Decimal(price) for token, price in route.certificate.prices.items()}
        short, slack = Decimal(0), Decimal(1)
        for hop in route.hops:
            best, lost = best_profit(hop.pool, hop.token_in, hop.token_out, prices)
            given_out, taken = prices[hop.token_out.address], prices[hop.token_in.address]
            short += best - (given_out * hop.amount_out - taken * hop.amount_in)
            slack += lost
        assert -slack <= short <= route.bound - route.amount_out + slack


def test_liquidation_of_a_million_times_the_reserves_is_solved():
    """CFMMRouter.jl issue 12: 1e9 into pools of 1e3, where L-BFGS-B runs away."""
    unit = 10**12
    one, two, three = A, B, C
    pools = pool_set(
        make_pool(1, (one, two), (10**3 * unit, 10**4 * unit)),
        make_pool(2, (two, three), (10**3 * unit, 10**2 * unit)),
        make_pool(3, (one, three), (10**3 * unit, 2 * 10**4 * unit)),
    )
    route = find_route(Swap(two, one, 10**9 * unit), pools, options=GRAPH)
    assert route.amount_out / unit == pytest.approx(1004.949792449, abs=1e-8)
    assert 0 <= route.gap_bps <= 1e-4


def test_pools_without_an_oracle_are_named():
    class Strange:
        kind = "strange"
        key = "strange:1"
        tokens = (A, B)

    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)), Strange())
    route = find_route(Swap(A, B, 10**20), market)
    assert route.certificate.excluded[0].pools == ("strange:1",)


def test_pools_on_longer_ways_only_are_named():
    """Beyond max_hops nothing was searched, and there may be more to get; a pool that leads nowhere is no
    part of any route."""
    ways = [make_pool(1, (A, B), (10**24, 10**24)), make_pool(2, (C, A), (10**24, 10**24))]
    longer = [make_pool(3, (C, D), (10**24, 10**24)), make_pool(4, (D, B), (10**24, 2 * 10**24))]
    market = pool_set(*ways, *longer, make_pool(5, (D, make_token(9)), (10**24, 10**24)))
    near, all_ways = (
        find_route(Swap(A, B, 10**20), market, options=Options(max_hops=hops, shape=Shape.GRAPH))
        for hops in (2, 3)
    )
    assert near.amount_out < all_ways.amount_out
    assert not all_ways.certificate.excluded
    (exclusion,) = near.certificate.excluded
    assert set(exclusion.pools) == {pool.key for pool in (ways[1], *longer)}
    assert "more than 2 hops" in exclusion.reason


def test_arbitrage_is_left_out_of_a_swap_and_named():
    """A triangle that pays for going round: the swap does not, unless cycles are allowed."""
    third = make_token(7)
    market = pool_set(
        make_pool(1, (A, B), (10**24, 10**24)),
        make_pool(2, (A, C), (10**24, 10**24)),
        make_pool(3, (C, third), (10**24, 2 * 10**24)),
        make_pool(4, (third, A), (10**24, 10**24)),
        make_pool(5, (C, B), (10**24, 10**24)),
        make_pool(6, (third, B), (10**24, 10**24)),
    )
    plain = find_route(Swap(A, B, 10**21), market, options=GRAPH)
    cyclic = find_route(Swap(A, B, 10**21), market, options=Options(shape=Shape.GRAPH, cycles=True))
    assert cyclic.amount_out > plain.amount_out
    assert cyclic.gap_bps <= 0.001
