"""The laws of a search: never below the best single path, exact at every hop, the same every time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import BLOCK, A, B, C, D, make_pool, make_token, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import InputError, NoPoolError, NoRouteError, PoolRevertError, StaleStateError
from onchain_exec.routing import GasModel, Swap, find_route
from onchain_exec.routing.gas import hop_gas

exacts = st.sampled_from(Exact)
amounts = st.integers(10**3, 10**28)
gases = st.builds(GasModel, st.integers(0, 10**11), st.sampled_from((0.0, 1e-9, 1e-3, 1.0, 50.0)))


def find_or_none(terms, market, gas=None):
    try:
        return find_route(terms, market, gas or GasModel())
    except NoRouteError:
        return None


def single_amounts(terms, market):
    """What every path of one or two pools gives (or takes) for the whole amount."""
    for chain in (*permutations(market.pools, 1), *permutations(market.pools, 2)):
        middles = [token for token in chain[0].tokens if token not in (terms.token_in, terms.token_out)]
        tokens = (terms.token_in, *middles[: len(chain) - 1], terms.token_out)
        sides = list(zip(chain, pairwise(tokens), strict=False))
        if any(not set(pair) <= set(pool.tokens) for pool, pair in sides) or len(sides) != len(chain):
            continue
        amount = terms.amount
        try:
            for pool, pair in sides if terms.exact is Exact.IN else reversed(sides):
                amount = pool.quote(*pair, amount, terms.exact)
        except PoolRevertError:
            continue
        yield amount


def worth(route, gas):
    traded = route.amount_out if route.exact is Exact.IN else -route.amount_in
    return traded - gas.cost(route.gas_units)


@given(markets(), amounts, exacts)
def test_find_route_any_market_never_below_best_single(market, amount, exact):
    terms = Swap(A, B, amount, exact)
    singles = list(single_amounts(terms, market))
    route = find_or_none(terms, market)
    if route is None:
        assert not singles
    elif exact is Exact.IN:
        assert route.best_single_amount == max(singles, default=None)
        assert not singles or route.amount_out >= max(singles)
    else:
        assert route.best_single_amount == min(singles, default=None)
        assert not singles or route.amount_in <= min(singles)


@given(markets(), amounts, exacts, gases)
def test_find_route_with_gas_never_worth_less_than_one_pool_alone(market, amount, exact, gas):
    terms = Swap(A, B, amount, exact)
    route = find_or_none(terms, market, gas)
    if route is None:
        return
    for pool in market.pools:
        if set(pool.tokens) == {A, B}:
            alone = find_or_none(terms, replace(market, pools=(pool,)), gas)
            assert alone is None or worth(route, gas) >= worth(alone, gas)


@given(markets(), amounts, exacts)
def test_find_route_conserves_amounts_hop_by_hop(market, amount, exact):
    route = find_or_none(Swap(A, B, amount, exact), market)
    if route is None:
        return
    assert (route.amount_in if exact is Exact.IN else route.amount_out) == amount
    assert route.amount_in == sum(leg.amount_in for leg in route.legs)
    assert route.amount_out == sum(leg.amount_out for leg in route.legs)
    for leg in route.legs:
        assert (leg.hops[0].token_in, leg.hops[-1].token_out) == (A, B)
        for before, after in pairwise(leg.hops):
            assert before.token_out == after.token_in
            assert before.amount_out == after.amount_in


@given(markets(), amounts, exacts)
def test_find_route_hops_equal_pool_swaps_on_the_evolving_state(market, amount, exact):
    route = find_or_none(Swap(A, B, amount, exact), market)
    if route is None:
        return
    state = {pool.key: pool for pool in market.pools}
    for leg in route.legs:
        for hop in leg.hops if exact is Exact.IN else reversed(leg.hops):
            assert hop.pool == state[hop.pool.key]
            given_amount = hop.amount_in if exact is Exact.IN else hop.amount_out
            done = hop.pool.swap(hop.token_in, hop.token_out, given_amount, exact)
            found = (hop.amount_in, hop.amount_out, hop.fee_amount)
            assert found == (done.amount_in, done.amount_out, done.fee_amount)
            state[hop.pool.key] = done.pool_after


@given(markets(), amounts, exacts, st.randoms(use_true_random=False))
def test_find_route_pools_in_another_order_gives_the_same_route(market, amount, exact, shuffler):
    pools = list(market.pools)
    shuffler.shuffle(pools)
    terms = Swap(A, B, amount, exact)
    assert find_or_none(terms, market) == find_or_none(terms, replace(market, pools=tuple(pools)))


def test_find_route_two_equal_pools_splits_in_halves():
    market = pool_set(*(make_pool(n, (A, B), (10**24, 10**24)) for n in (1, 2)))
    route = find_route(Swap(A, B, 10**23), market)
    halves = [leg.amount_in for leg in route.legs]
    assert sum(halves) == 10**23
    assert max(halves) - min(halves) <= 10**23 // 1000
    assert route.amount_out > route.best_single_amount


def test_find_route_exact_out_beyond_each_pool_is_filled_by_both():
    market = pool_set(*(make_pool(n, (A, B), (10**20, 10**20)) for n in (1, 2)))
    route = find_route(Swap(A, B, 15 * 10**19, Exact.OUT), market)
    assert route.best_single_amount is None
    assert len(route.legs) == 2


def test_find_route_shared_pool_is_counted_once():
    """Two paths end in one thin pool: together they get no more than it can give."""
    thin = make_pool(9, (C, B), (10**21, 10**21))
    market = pool_set(thin, *(make_pool(n, (A, C), (10**21, 10**21)) for n in (1, 2)))
    route = find_route(Swap(A, B, 10**21), market)
    through_thin = sum(hop.amount_in for hop in route.hops if hop.pool.key == thin.key)
    assert route.amount_out <= thin.quote(C, B, through_thin, Exact.IN)


@pytest.mark.parametrize("exact", Exact)
def test_find_route_pool_given_twice_counts_once(exact):
    pools, copies = (tuple(make_pool(n, (A, B), (10**24, 10**24)) for n in (1, 2)) for _ in range(2))
    swap = Swap(A, B, 10**23, exact)
    once, twice = (find_route(swap, pool_set(*given)) for given in (pools, pools + copies))
    assert twice == once


def test_find_route_gain_below_gas_stays_on_one_pool():
    market = pool_set(*(make_pool(n, (A, B), (10**24, 10**24)) for n in (1, 2)))
    free = find_route(Swap(A, B, 10**23), market)
    gain = free.amount_out - free.best_single_amount
    extra_gas = hop_gas("uniswap_v2")
    dear, cheap = GasModel(1, gain / extra_gas * 1.01), GasModel(1, gain / extra_gas * 0.99)
    assert len(find_route(Swap(A, B, 10**23), market, dear).legs) == 1
    assert len(find_route(Swap(A, B, 10**23), market, cheap).legs) == 2


def test_find_route_pools_of_another_block_raises_stale():
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)))
    with pytest.raises(StaleStateError, match=r"block 100 .*needed: pools at block 101"):
        find_route(Swap(A, B, 1000), market, block=replace(BLOCK, number=101))


@pytest.mark.parametrize("token_out", [D, make_token(99)])
def test_find_route_unconnected_token_raises_no_pool(token_out):
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)), make_pool(2, (C, D), (10**24, 10**24)))
    with pytest.raises(NoPoolError, match=r"T4|T99"):
        find_route(Swap(A, token_out, 1000), market)


def test_find_route_beyond_liquidity_raises_no_route():
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)))
    with pytest.raises(NoRouteError, match=r"1 pools .* connect the tokens of T1 for"):
        find_route(Swap(A, B, 10**24, Exact.OUT), market)


@pytest.mark.parametrize(("token_out", "amount"), [(A, 1), (B, 0), (B, -1)])
def test_find_route_senseless_terms_raises_input_error(token_out, amount):
    with pytest.raises(InputError):
        find_route(Swap(A, token_out, amount), pool_set(make_pool(1, (A, B), (1000, 1000))))
