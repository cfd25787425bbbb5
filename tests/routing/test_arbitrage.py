"""Arbitrage: what is found runs at a profit, is the best there is, and is nothing where prices agree."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from markets import A, B, C, D, make_pool, make_token, markets, pool_set

from onchain_exec.core import Exact
from onchain_exec.errors import InputError, NoPoolError, PoolRevertError
from onchain_exec.routing import GasModel, Options, Swap, find_arbitrage, find_route

SHARES = (1_000, 100, 30, 10, 3)


def triangle():
    """The reserves of CFMMRouter.jl's issue 11, on which L-BFGS-B does not converge."""
    return pool_set(
        make_pool(1, (A, B), (602_764_852 * 10**12, 1_509 * 10**10), 2_000),
        make_pool(2, (B, C), (933 * 10**10, 463_107_700 * 10**14), 2_000),
        make_pool(3, (A, C), (596_761_757 * 10**14, 656_508_707 * 10**16), 3_000),
    )


def run_cycle(market, token, legs):
    """Run the legs on fresh pools; each hop must be the pool's own swap."""
    state = {pool.key: pool for pool in market.pools}
    for leg in legs:
        assert leg.hops[0].token_in == leg.hops[-1].token_out == token
        amount = leg.amount_in
        for hop in leg.hops:
            done = state[hop.pool.key].swap(hop.token_in, hop.token_out, amount, Exact.IN)
            assert (hop.amount_in, hop.amount_out) == (done.amount_in, done.amount_out)
            state[hop.pool.key], amount = done.pool_after, done.amount_out
    return tuple(state.values())


@settings(max_examples=30)
@given(markets(least=10**18, most=10**22))
def test_find_arbitrage_any_market_runs_at_a_profit_within_its_bound(market):
    found = find_arbitrage(A, market)
    if found is not None:
        run_cycle(market, A, found.legs)
        assert 0 < found.profit <= found.certificate.bound


@settings(max_examples=30)
@given(markets(max_pools=4, least=10**18, most=10**22))
def test_find_arbitrage_leaves_no_cycle_of_two_or_three_pools_that_gains(market):
    """Whatever larger gain lies elsewhere: on the pools as the legs leave them nothing more is to be had."""
    found = find_arbitrage(A, market)
    pools = market.pools if found is None else run_cycle(market, A, found.legs)
    for cycle in (*permutations(pools, 2), *permutations(pools, 3)):
        for middle in permutations((B, C, D), len(cycle) - 1):
            hops = list(zip(cycle, pairwise((A, *middle, A)), strict=True))
            if all(set(pair) <= set(pool.tokens) for pool, pair in hops):
                for share in SHARES:
                    start = min(pool.reserve0 for pool in cycle) // share
                    assert give_back(hops, start) <= start + start // 10**9


def give_back(hops, amount):
    """What the cycle gives for ``amount``: nothing where a pool reverts."""
    try:
        for pool, pair in hops:
            amount = pool.quote(*pair, amount, Exact.IN)
    except PoolRevertError:
        return 0
    return amount


def test_find_arbitrage_cycle_beside_a_larger_one_is_found():
    """B and C pay far more for going round between themselves than A's cycle does, on the same pool."""
    market = pool_set(
        make_pool(1, (A, B), (10**21, 10**21)),
        make_pool(2, (A, B), (10**21, 102 * 10**19)),
        make_pool(3, (B, C), (10**24, 10**24)),
        make_pool(4, (B, C), (10**24, 2 * 10**24)),
    )
    found = find_arbitrage(A, market)
    assert found.profit > 0
    run_cycle(market, A, found.legs)


def test_find_arbitrage_badly_scaled_triangle_is_solved():
    found = find_arbitrage(C, triangle())
    assert found.profit == pytest.approx(8.864481532827e19, rel=1e-9)
    assert 0 <= found.gap_bps <= 1e-4
    run_cycle(triangle(), C, found.legs)


def test_find_arbitrage_prices_that_agree_finds_nothing():
    market = pool_set(
        make_pool(1, (A, B), (10**24, 10**24)),
        make_pool(2, (B, C), (10**24, 10**24)),
        make_pool(3, (C, A), (10**24, 10**24)),
    )
    assert find_arbitrage(A, market) is None


def test_find_arbitrage_gain_below_gas_finds_nothing():
    free = find_arbitrage(A, triangle())
    dear = GasModel(1, free.profit / free.gas_units * 1.01)
    cheap = GasModel(1, free.profit / free.gas_units * 0.99)
    assert find_arbitrage(A, triangle(), dear) is None
    assert find_arbitrage(A, triangle(), cheap).legs == free.legs


def test_find_arbitrage_unknown_token_raises_no_pool():
    with pytest.raises(NoPoolError, match="T99"):
        find_arbitrage(make_token(99), triangle())


def test_find_route_cycles_for_an_exact_output_raises_input_error():
    with pytest.raises(InputError, match="needed: an exact amount in"):
        find_route(Swap(A, B, 1000, Exact.OUT), triangle(), options=Options(cycles=True))
