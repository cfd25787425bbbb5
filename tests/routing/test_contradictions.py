"""Markets whose prices contradict each other by orders of magnitude: arbitrage wherever one looks."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import A, B, C, D, make_pool, make_token, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import NoPoolError, NoRouteError
from onchain_exec.routing import GasModel, Options, Shape, Swap, find_route
from onchain_exec.routing.solver import dual

MOST_EVALUATIONS = 10_000
"""Of the dual, in one search: most take tens and hopeless ones up to three thousand, but all end."""

contradicting = markets(max_pools=16, least=10**3, most=10**33)
shapes = st.sampled_from(Shape)


@settings(max_examples=25)
@given(contradicting, st.integers(1, 10**24), st.sampled_from(Exact), shapes, st.booleans())
def test_find_route_contradicting_prices_ends_with_a_bound_it_keeps(market, amount, exact, shape, cycles):
    assume(not (cycles and exact is Exact.OUT))
    evaluations = []
    with pytest.MonkeyPatch.context() as patch:
        evaluate = dual.evaluate
        patch.setattr(dual, "evaluate", lambda *given: evaluations.append(1) or evaluate(*given))
        try:
            route = find_route(
                Swap(A, B, amount, exact), market, options=Options(max_hops=4, shape=shape, cycles=cycles)
            )
        except NoRouteError:
            return
        finally:
            assert len(evaluations) <= MOST_EVALUATIONS
    assert (route.amount_in if exact is Exact.IN else route.amount_out) == amount
    assert route.certificate.excluded or route.gap_bps >= 0
    if shape is Shape.PATHS and not cycles:
        assert {(leg.hops[0].token_in, leg.hops[-1].token_out) for leg in route.legs} == {(A, B)}


def test_find_route_first_prices_beside_kinks_are_left():
    """The first prices put pools of the best way where they begin to trade: no step ends at those kinks."""
    market = pool_set(
        make_pool(1, (D, C), (7 * 10**21, 2 * 10**21)),
        make_pool(2, (D, B), (4 * 10**18, 6 * 10**18)),
        make_pool(3, (A, B), (6 * 10**19, 5 * 10**23)),
        make_pool(4, (A, C), (4 * 10**19, 8 * 10**22)),
    )
    route = find_route(Swap(A, B, 6 * 10**18, Exact.OUT), market, options=Options(shape=Shape.GRAPH))
    assert len(route.hops) == 4
    assert 0 <= route.gap_bps <= 1e-4


def test_find_route_cycles_worth_far_more_than_the_order_are_settled():
    """Going round C and D turns next to nothing into far more than the order: trifles feed what pays."""
    market = pool_set(
        make_pool(1, (A, B), (10**24, 10**24)),
        make_pool(2, (A, C), (10**24, 10**24)),
        make_pool(3, (C, D), (10**18, 10**27)),
        make_pool(4, (D, C), (10**18, 10**27)),
        make_pool(5, (C, B), (10**24, 10**30)),
        make_pool(6, (D, B), (10**24, 10**24)),
    )
    route = find_route(Swap(A, B, 10**18), market, options=Options(shape=Shape.GRAPH, cycles=True))
    assert route.amount_out > 10 * find_route(Swap(A, B, 10**18), market).amount_out
    assert 0 <= route.gap_bps <= 0.001


def make_contradicting(random, tokens):
    """Up to thirty pools whose prices differ by a quarter, and an amount that may be too small to split."""
    depths = [10 ** random.uniform(19, 24) for _ in range(random.randint(3, 30))]
    pools = (
        make_pool(number, random.sample(tokens, 2), (int(depth), int(depth * 10 ** random.gauss(0, 0.1))))
        for number, depth in enumerate(depths)
    )
    return pool_set(*pools), int(10 ** random.uniform(17, 22))


def require_no_gap(market, amount, exact, log_cost):
    """With one swap per pool a route is worth what the search proves, but for rounding."""
    swap, options = Swap(A, B, amount, exact), Options(max_hops=4, shape=Shape.GRAPH)
    free = find_route(swap, market, options=options)
    gas = GasModel(1, 10**log_cost * free.searched_amount / 65_000)
    route = find_route(swap, market, gas, options=options)
    assert abs(route.bound - route.searched_amount) <= 1e-6 * max(route.searched_amount, gas.cost(65_000))


@settings(max_examples=100)
@given(st.randoms(use_true_random=True), st.sampled_from(Exact), st.floats(-6, -1))
def test_find_route_with_gas_where_no_pool_leads_back_leaves_no_gap(random, exact, log_cost):
    """Also where no pool earns its gas, and where prices were found before all pools were decided."""
    try:
        require_no_gap(*make_contradicting(random, (A, B, C)), exact, log_cost)
    except (NoPoolError, NoRouteError):
        return


@pytest.mark.parametrize("exact", Exact)
@pytest.mark.parametrize("seed", [20, 23, 27])
def test_find_route_with_gas_where_pools_lead_back_leaves_no_gap(seed, exact):
    """Pools that lead back would earn at the prices of some case, whose routes do not use them."""
    random = Random(seed)
    market, amount = make_contradicting(random, (A, B, C, D, make_token(5)))
    require_no_gap(market, amount, exact, random.uniform(-6, -1))
