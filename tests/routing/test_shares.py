"""Shares of a route's hops: nothing is lost between tokens, costs make up the rate, the picture shows all."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from markets import A, B, C, make_pool, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import NoRouteError
from onchain_exec.routing import Options, Shape, Swap, find_route, get_hop_shares


@given(markets(), st.integers(10**6, 10**28), st.sampled_from(Exact), st.sampled_from(Shape))
def test_get_hop_shares_arrive_as_they_left(market, amount, exact, shape):
    try:
        route = find_route(Swap(A, B, amount, exact), market, options=Options(shape=shape))
    except NoRouteError:
        assume(False)
    balance = defaultdict(float, {A: 1.0})
    for share in get_hop_shares(route):
        balance[share.hop.token_in] -= share.share
        balance[share.hop.token_out] += share.share
    assert balance.pop(B) == pytest.approx(1)
    assert all(left == pytest.approx(0, abs=1e-9) for left in balance.values())


def test_get_hop_shares_costs_are_the_fee_and_the_rate_below_spot():
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)))
    (share,) = get_hop_shares(find_route(Swap(A, B, 10**22), market))
    assert share.fee_bps == pytest.approx(30)
    assert share.impact_bps == pytest.approx(1e4 * (1 - 1 / 1.00997), rel=1e-9)


def test_plot_shows_every_token_and_hop():
    market = pool_set(
        make_pool(1, (A, B), (10**22, 10**22)),
        make_pool(2, (A, C), (10**22, 10**22)),
        make_pool(3, (C, B), (10**22, 10**22)),
    )
    route = find_route(Swap(A, B, 10**22), market)
    axes = route.plot().axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert {"T1", "T2", "T3"} <= set(texts)
    assert sum("uniswap_v2" in text for text in texts) == len(route.hops) == 3
