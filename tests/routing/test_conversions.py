"""Vaults and the wrapped coin in routes: any amount at one rate, up to what they hold."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import A, B, make_pool, pool_set
from pool_kinds import CONVERSIONS, NATIVE, SHARE

from onchain_exec.core import Exact
from onchain_exec.errors import NoRouteError, PoolRevertError
from onchain_exec.routing import Options, Shape, Swap, find_arbitrage, find_route

GRAPH = Options(shape=Shape.GRAPH, max_hops=6)
VAULT, WRAPPED = CONVERSIONS["vault"], CONVERSIONS["wrapped"]
MARKET = pool_set(
    VAULT,
    WRAPPED,
    make_pool(1, (A, B), (10**24, 3 * 10**24)),
    make_pool(2, (A, B), (10**23, 3 * 10**23), 500),
    make_pool(3, (SHARE, B), (10**23, 33 * 10**22)),
)
amounts = st.integers(10**6, 5 * 10**23)
ends = st.sampled_from(
    [(NATIVE, B), (B, NATIVE), (SHARE, B), (B, SHARE), (NATIVE, SHARE), (SHARE, NATIVE), (A, B), (B, A)]
)


@given(ends, amounts, st.sampled_from(Exact))
def test_find_route_over_conversions_is_near_its_bound(pair, amount, exact):
    try:
        route = find_route(Swap(*pair, amount, exact), MARKET, options=GRAPH)
    except NoRouteError:
        return
    assert not route.certificate.excluded
    found = route.amount_out if exact is Exact.IN else route.amount_in
    assert abs(route.bound - found) <= 1e-8 * found + 50
    assert route.gap_bps >= 0
    state = {pool.key: pool for pool in MARKET.pools}
    for hop in route.hops if exact is Exact.IN else reversed(route.hops):
        fixed = hop.amount_in if exact is Exact.IN else hop.amount_out
        done = state[hop.pool.key].swap(hop.token_in, hop.token_out, fixed, exact)
        assert (done.amount_in, done.amount_out) == (hop.amount_in, hop.amount_out)
        state[hop.pool.key] = done.pool_after


@given(ends, amounts, st.integers(1, 999))
def test_bound_holds_for_conversions_at_the_reported_prices(pair, amount, thousandths):
    """What a conversion of any part of the order earns at the prices, with the order, is no more."""
    route = find_route(Swap(*pair, amount), MARKET, options=GRAPH)
    prices = {token: Fraction(price) for token, price in route.certificate.prices.items()}
    for pool in (VAULT, WRAPPED):
        token_in, token_out = pool.tokens
        for side_in, side_out in ((token_in, token_out), (token_out, token_in)):
            if side_in in prices and side_out in prices and side_out != pair[0] and side_in != pair[1]:
                part = int(prices[pair[0]] * amount / prices[side_in]) * thousandths // 1_000
                try:
                    given_out = pool.quote(side_in, side_out, part, Exact.IN)
                except PoolRevertError:
                    continue
                earned = prices[side_out] * given_out - prices[side_in] * part
                assert prices[pair[0]] * amount + earned <= route.bound + 1


def test_find_route_beyond_what_is_held_raises_no_route():
    with pytest.raises(NoRouteError):
        find_route(Swap(A, NATIVE, 10**24 + 1), pool_set(WRAPPED), options=GRAPH)
    assert find_route(Swap(A, NATIVE, 10**24), pool_set(WRAPPED)).amount_out == 10**24


def test_conversions_are_named_where_flows_go_round():
    cyclic = find_route(Swap(A, B, 10**20), MARKET, options=Options(shape=Shape.GRAPH, cycles=True))
    assert cyclic.certificate.excluded[0].pools == (VAULT.key, WRAPPED.key)
    market = pool_set(
        WRAPPED, make_pool(1, (A, B), (10**21, 10**21)), make_pool(2, (A, B), (10**21, 2 * 10**21))
    )
    assert find_arbitrage(A, market).certificate.excluded[0].pools == (WRAPPED.key,)
