"""Baskets: several tokens sold for one, or bought with one, at once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from math import ceil, floor

import pytest
from exact_dual import dual_value
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import A, B, C, D, make_pool, make_token, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import InputError, NoPoolError, NoRouteError
from onchain_exec.routing import (
    Basket,
    GasModel,
    Options,
    Shape,
    Swap,
    find_basket_route,
    find_route,
)

GRAPH = Options(shape=Shape.GRAPH, max_hops=4)
STRANGER = make_token(9)
amounts = st.integers(10**6, 10**26)
baskets = st.builds(
    Basket,
    st.dictionaries(st.sampled_from((A, C, D)), amounts, min_size=2),
    st.just(B),
    st.sampled_from(Exact),
)


def joined(market):
    """The market with pools that connect every token that a basket may hold to B."""
    links = [make_pool(90 + n, (token, B), (10**24, 10**24)) for n, token in enumerate((A, C, D))]
    return replace(market, pools=(*market.pools, *links))


def unseen(market):
    """What floats do not see of a trade: they know a price to some 1e-16, and a pool's trade to that part of
    its reserves."""
    return 100 + 1e-15 * max(max(pool.reserve0, pool.reserve1) for pool in market.pools)


def find_or_skip(basket, market):
    try:
        return find_basket_route(basket, market, options=GRAPH)
    except NoRouteError:
        assume(False)


@settings(max_examples=settings().max_examples // 2)
@given(baskets, markets(least=10**15))
def test_find_basket_route_hops_replay_exactly_and_leave_nothing_between(basket, market):
    market = joined(market)
    route = find_or_skip(basket, market)
    state = {pool.key: pool for pool in market.pools}
    balance = defaultdict(int, route.amounts_in)
    for hop in route.hops:
        fixed = hop.amount_in if basket.exact is Exact.IN else hop.amount_out
        done = state[hop.pool.key].swap(hop.token_in, hop.token_out, fixed, basket.exact)
        assert (done.amount_in, done.amount_out) == (hop.amount_in, hop.amount_out)
        state[hop.pool.key] = done.pool_after
        balance[hop.token_in] -= hop.amount_in
        balance[hop.token_out] += hop.amount_out
        assert balance[hop.token_in] >= 0  # hops run in an order in which each finds its input
    assert {token: left for token, left in balance.items() if left} == dict(route.amounts_out)
    sold, bought = (route.amounts_in, {B}) if basket.exact is Exact.IN else ({B}, route.amounts_out)
    assert set(route.amounts_in) == set(sold)
    assert set(route.amounts_out) == set(bought)
    for token, amount in basket.amounts.items():
        if basket.exact is Exact.IN:
            assert route.amounts_in.get(token, amount) == amount
        else:
            assert route.amounts_out[token] >= amount


@settings(max_examples=settings().max_examples // 2)
@given(baskets, markets(least=10**18, most=10**26))
def test_bound_is_the_duals_value_at_the_reported_prices(basket, market):
    market = joined(market)
    route = find_or_skip(basket, market)
    assume(not route.certificate.excluded)
    forwards = basket.exact is Exact.IN
    owned = {token: amount if forwards else -amount for token, amount in basket.amounts.items()}
    value, slack = dual_value(
        market,
        route.certificate,
        owned,
        lambda token_in, token_out: (token_in if forwards else token_out) != B,
    )
    if forwards:
        assert route.searched_amount <= route.bound
        assert floor(value) <= route.bound <= value + slack + 1
    else:
        assert route.searched_amount >= route.bound
        assert ceil(-value) >= route.bound >= -value - slack - 1
    assert abs(route.bound - route.searched_amount) <= 1e-8 * route.bound + unseen(market)


@st.composite
def calm_markets(draw):
    """A market in which going round never gains: every pool is within a basis point of par and takes at
    least five."""
    depths, offsets = st.integers(10**20, 10**26), st.integers(-(10**4), 10**4)
    pairs = st.sampled_from(((A, B), (A, C), (C, B), (B, D), (D, A), (C, D)))
    fees = st.sampled_from((500, 3_000, 10_000))
    pools = draw(st.lists(st.tuples(pairs, depths, offsets, fees), max_size=6))
    return pool_set(
        *(
            make_pool(number, pair, (depth, depth + depth * offset // 10**8), fee)
            for number, (pair, depth, offset, fee) in enumerate(pools)
        )
    )


@settings(max_examples=settings().max_examples // 2)
@given(baskets, calm_markets(), st.permutations((A, C, D)))
def test_no_route_of_one_token_after_the_other_beats_the_basket(basket, market, order):
    market = joined(market)
    route = find_or_skip(basket, market)
    assert not route.certificate.excluded
    forwards, total, pools = basket.exact is Exact.IN, 0, market
    for token in order:
        if token in basket.amounts:
            pair = (token, B) if forwards else (B, token)
            try:
                alone = find_route(Swap(*pair, basket.amounts[token], basket.exact), pools, options=GRAPH)
            except NoRouteError:
                assume(False)
            total += alone.searched_amount
            pools = after(pools, alone)
    if forwards:
        assert total <= route.bound
        assert total <= route.searched_amount * (1 + 1e-8) + unseen(market)
    else:
        assert total >= route.bound
        assert total >= route.searched_amount * (1 - 1e-8) - unseen(market)


def after(market, route):
    """The market after ``route`` ran."""
    state = {pool.key: pool for pool in market.pools}
    for hop in route.hops:
        done = state[hop.pool.key].swap(hop.token_in, hop.token_out, hop.amount_in, Exact.IN)
        state[hop.pool.key] = done.pool_after
    return replace(market, pools=tuple(state.values()))


@given(markets(least=10**15), amounts, st.sampled_from(Exact))
def test_find_basket_route_of_one_token_equals_find_route(market, amount, exact):
    swap = Swap(A, B, amount, exact)
    try:
        route = find_route(swap, market, options=GRAPH)
    except NoRouteError:
        assume(False)
    alone = find_basket_route(Basket.of(swap), market, options=GRAPH)
    assert (alone.legs, alone.certificate) == (route.legs, route.certificate)


def test_find_basket_route_token_by_way_of_another_shares_its_pool():
    """C has no pool with B: it goes through A, whose only pool then takes both."""
    market = pool_set(
        make_pool(1, (A, B), (10**24, 10**24)),
        make_pool(2, (C, A), (10**24, 10**24)),
    )
    route = find_basket_route(Basket({A: 10**21, C: 10**21}, B), market)
    assert [(hop.token_in, hop.token_out) for hop in route.hops] == [(C, A), (A, B)]
    assert route.hops[1].amount_in == 10**21 + route.hops[0].amount_out


def test_find_basket_route_dust_below_its_gas_is_left_alone():
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)), make_pool(2, (C, B), (10**24, 10**24)))
    basket = Basket({A: 10**21, C: 10**15}, B)
    assert set(find_basket_route(basket, market).amounts_in) == {A, C}
    gas = GasModel(1, 10**17 / 65_000)
    route = find_basket_route(basket, market, gas)
    assert route.amounts_in == {A: 10**21}
    assert route.searched_amount <= route.bound <= route.searched_amount + 10**15 + 1


def test_find_basket_route_what_an_arbitrage_would_give_is_bought_within_a_close_bound():
    """A and D, both bought, trade for one another at two prices: going round gives more of them than that,
    and is not part of the proof. The bound counts what buying them takes."""
    market = pool_set(
        make_pool(1, (C, B), (3 * 10**19, 10**19)),
        make_pool(2, (D, B), (4 * 10**23, 6 * 10**22)),
        make_pool(3, (A, D), (9 * 10**23, 3 * 10**23)),
        make_pool(4, (B, A), (8 * 10**19, 5 * 10**19)),
        make_pool(5, (D, A), (2 * 10**23, 9 * 10**23)),
    )
    basket = Basket({A: 24 * 10**16, C: 4 * 10**18, D: 12 * 10**16}, B, Exact.OUT)
    route = find_basket_route(basket, market, options=GRAPH)
    assert 0 <= route.gap_bps <= 1e-4
    (arbitrage,) = route.certificate.excluded
    assert set(arbitrage.pools) & {pool.key for pool in market.pools[2::2]}
    assert arbitrage.reason.startswith("trades only as part of an arbitrage")


def test_find_basket_route_bought_token_beyond_its_pool_raises_no_route():
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)), make_pool(2, (C, B), (10**24, 10**24)))
    with pytest.raises(NoRouteError):
        find_basket_route(Basket({A: 10**20, C: 10**24}, B, Exact.OUT), market)


def test_find_basket_route_unconnected_token_is_named():
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)), make_pool(2, (STRANGER, D), (10**24, 10**24)))
    with pytest.raises(NoPoolError, match="T9 is not connected"):
        find_basket_route(Basket({A: 10**20, STRANGER: 10**20}, B), market)


@pytest.mark.parametrize(
    ("basket", "options"),
    [
        (Basket({}, B), GRAPH),
        (Basket({A: 10**18, B: 10**18}, B), GRAPH),
        (Basket({A: 0, C: 10**18}, B), GRAPH),
        (Basket({A: 10**18, replace(A, symbol="other"): 10**18}, B), GRAPH),
        (Basket({A: 10**18, C: 10**18}, B), Options()),
        (Basket({A: 10**18, C: 10**18}, B, Exact.OUT), replace(GRAPH, cycles=True)),
    ],
)
def test_find_basket_route_unsound_basket_raises_input_error(basket, options):
    with pytest.raises(InputError):
        find_basket_route(basket, joined(pool_set(make_pool(1, (A, B), (10**24, 10**24)))), options=options)


@settings(max_examples=settings().max_examples // 2)
@given(st.dictionaries(st.sampled_from((A, C, D)), amounts, min_size=2), markets(least=10**18, most=10**22))
def test_find_basket_route_with_cycles_spends_the_basket_within_the_bound(held, market):
    try:
        route = find_basket_route(Basket(held, B), joined(market), options=replace(GRAPH, cycles=True))
    except NoRouteError:
        assume(False)
    balance = defaultdict(int, route.amounts_in)
    for hop in route.hops:
        balance[hop.token_in] -= hop.amount_in
        balance[hop.token_out] += hop.amount_out
    assert balance[B] == route.searched_amount <= route.bound
    assert min(balance.values()) >= 0
    assert all(route.amounts_in[token] == held[token] for token in route.amounts_in)
