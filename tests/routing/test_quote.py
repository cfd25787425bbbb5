"""A quote's costs add up to the unit, its bounds round for the trader, and it goes stale."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import BLOCK, A, B, C, make_order, make_pool, markets, pool_set

from onchain_exec.core import Exact, format_swap, format_tokens
from onchain_exec.errors import InputError, NoRouteError, StaleStateError
from onchain_exec.routing import GasModel, bind_quote, find_route, make_quote

NOW = BLOCK.timestamp
amounts = st.integers(10**3, 10**28)


def quote_for(order, market, gas=None):
    gas = gas or GasModel()
    return make_quote(order, find_route(order, market, gas), gas, NOW)


@given(markets(), amounts, st.sampled_from(Exact))
def test_make_quote_costs_add_up_exactly_and_are_not_negative(market, amount, exact):
    try:
        quote = quote_for(make_order(amount, exact), market)
    except NoRouteError:
        return
    mid_value = quote.amount_in * quote.mid_price
    assert (
        quote.amount_out + quote.fee_cost + quote.impact_cost == mid_value.numerator // mid_value.denominator
    )
    assert quote.fee_cost >= 0
    assert quote.impact_cost >= 0


@given(amounts, st.integers(0, 10_000), st.sampled_from(Exact))
def test_make_quote_bounds_round_in_the_traders_favour(amount, slippage_bps, exact):
    market = pool_set(make_pool(1, (A, B), (10**30, 10**30)))
    quote = quote_for(make_order(amount, exact, max_slippage_bps=slippage_bps), market)
    if exact is Exact.IN:
        assert quote.amount_in_max == amount
        assert quote.amount_out_min * 10_000 >= quote.amount_out * (10_000 - slippage_bps)
        assert (quote.amount_out_min - 1) * 10_000 < quote.amount_out * (10_000 - slippage_bps)
    else:
        assert quote.amount_out_min == amount
        assert quote.amount_in_max * 10_000 <= quote.amount_in * (10_000 + slippage_bps)
        assert (quote.amount_in_max + 1) * 10_000 > quote.amount_in * (10_000 + slippage_bps)


def test_make_quote_one_pool_shows_its_spot_price_and_fee():
    market = pool_set(make_pool(1, (A, B), (10**24, 3 * 10**24)))
    quote = quote_for(make_order(10**18), market)
    assert quote.mid_price == 3
    assert quote.fee_cost == 3 * 10**18 * 3_000 // 10**6
    assert quote.fee_bps == 30
    assert 0 < quote.impact_bps < Decimal("0.02")
    assert quote.price == Decimal("2.99099701797597308")


def test_make_quote_two_hops_multiplies_spot_prices():
    market = pool_set(
        make_pool(1, (A, C), (10**24, 2 * 10**24)),
        make_pool(2, (C, B), (10**24, 5 * 10**24)),
    )
    assert quote_for(make_order(10**18), market).mid_price == 10


def test_make_quote_mid_price_of_a_split_is_weighted_by_amounts():
    market = pool_set(
        make_pool(1, (A, B), (10**24, 10**24)),
        make_pool(2, (A, B), (10**24, 11 * 10**23)),
    )
    quote = quote_for(make_order(3 * 10**23), market)
    first, second = quote.route.hops
    expected = first.amount_in * first.pool.spot_price(A, B) + second.amount_in * second.pool.spot_price(A, B)
    assert quote.mid_price == expected / quote.amount_in
    assert 1 < quote.mid_price < Fraction(11, 10)


@pytest.mark.parametrize(("exact", "rate"), [(Exact.IN, 1), (Exact.OUT, 3)])
def test_make_quote_gas_is_apart_and_in_token_out(exact, rate):
    market = pool_set(make_pool(1, (A, B), (10**24, 3 * 10**24)))
    quote = quote_for(make_order(10**18, exact), market, GasModel(10**9, 0.5))
    assert quote.gas_cost_wei == quote.route.gas_units * 10**9
    assert quote.gas_cost_out == quote.gas_cost_wei * rate // 2


def test_make_quote_gas_without_a_token_price_is_unknown():
    market = pool_set(make_pool(1, (A, B), (10**24, 3 * 10**24)))
    assert quote_for(make_order(10**18), market, GasModel(10**9)).gas_cost_out is None
    assert quote_for(make_order(10**18), market, GasModel()).gas_cost_out == 0


@pytest.mark.parametrize("slippage_bps", [-1, 10_001])
def test_make_quote_absurd_slippage_raises(slippage_bps):
    market = pool_set(make_pool(1, (A, B), (10**24, 10**24)))
    with pytest.raises(InputError, match="0 to 10,000 basis points"):
        quote_for(make_order(1000, max_slippage_bps=slippage_bps), market)


def test_make_quote_route_of_other_terms_raises():
    route = find_route(make_order(1000), pool_set(make_pool(1, (A, B), (10**24, 10**24))))
    with pytest.raises(InputError, match="other terms"):
        make_quote(make_order(1001), route, GasModel(), NOW)


def test_require_fresh_within_age_and_block_passes():
    quote = quote_for(make_order(1000), pool_set(make_pool(1, (A, B), (10**24, 10**24))))
    quote.require_fresh(NOW + 30, 30, BLOCK)
    quote.require_fresh(NOW - 1, 0)
    assert quote.age_s(NOW + 30) == 30


def test_require_fresh_older_raises_stale():
    quote = quote_for(make_order(1000), pool_set(make_pool(1, (A, B), (10**24, 10**24))))
    with pytest.raises(StaleStateError, match="31 s old; needed: at most 30 s"):
        quote.require_fresh(NOW + 31, 30)


def test_require_fresh_other_block_raises_stale():
    quote = quote_for(make_order(1000), pool_set(make_pool(1, (A, B), (10**24, 10**24))))
    with pytest.raises(StaleStateError, match="block 100"):
        quote.require_fresh(NOW, 30, replace(BLOCK, hash="0x" + "cd" * 32))


@given(amounts, st.sampled_from(Exact))
def test_bind_quote_market_that_gives_enough_keeps_the_accepted_bounds(amount, exact):
    market = pool_set(make_pool(1, (A, B), (10**30, 10**30)))
    quote = quote_for(make_order(amount, exact), market)
    bound = bind_quote(quote, quote.amount_out, quote.amount_in)
    assert (bound.amount_out_min, bound.amount_in_max) == (quote.amount_out, quote.amount_in)
    assert replace(bound, amount_out_min=quote.amount_out_min, amount_in_max=quote.amount_in_max) == quote


@pytest.mark.parametrize(("more_out", "less_in"), [(1, 0), (0, 1)])
def test_bind_quote_market_that_moved_beyond_raises_stale(more_out, less_in):
    quote = quote_for(make_order(10**18), pool_set(make_pool(1, (A, B), (10**24, 10**24))))
    with pytest.raises(StaleStateError, match=f"now gives {quote.amount_out} for {quote.amount_in}"):
        bind_quote(quote, quote.amount_out + more_out, quote.amount_in - less_in)


@pytest.mark.parametrize("exact", Exact)
def test_quote_and_route_are_shown_in_one_line(exact):
    quote = quote_for(make_order(10**18, exact), pool_set(make_pool(1, (A, B), (10**24, 3 * 10**24))))
    side, bound = ("least", quote.amount_out_min) if exact is Exact.IN else ("most", quote.amount_in_max)
    told = A if exact is Exact.OUT else B
    assert f"at {side} {format_tokens(bound, told)}" in str(quote)
    for shown in (quote, quote.route):
        assert format_swap(quote.amount_in, A, quote.amount_out, B) in repr(shown)
        assert len(repr(shown)) < 250
