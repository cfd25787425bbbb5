"""Arbitrage: what is found runs at a profit, is the best there is, and is nothing where prices agree."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from markets import A, B, C, make_pool, make_token, markets, pool_set

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


@settings(max_examples=30)
@given(markets(least=10**18, most=10**22))
def test_find_arbitrage_any_market_runs_at_a_profit_within_its_bound(market):
    found = find_arbitrage(A, market)
    if found is not None:
        run_cycle(market, A, found.legs)
        assert 0 < found.profit <= found.certificate.bound


@settings(max_examples=30)
@given(markets(max_pools=4, least=10**18, most=10**22))
def test_find_arbitrage_no_cycle_of_two_or_three_pools_beats_the_bound(market):
    found = find_arbitrage(A, market)
    for cycle in (*permutations(market.pools, 2), *permutations(market.pools, 3)):
        for middle in permutations((B, C), len(cycle) - 1):
            for share in SHARES:
                amount = start = min(pool.reserve0 for pool in cycle) // share
                try:
                    for pool, pair in zip(cycle, pairwise((A, *middle, A)), strict=True):
                        if not set(pair) <= set(pool.tokens):
                            amount = 0
                            break
                        amount = pool.quote(*pair, amount, Exact.IN)
                except PoolRevertError:
                    continue
                if amount > start + start // 10**9:
                    assert found is not None
                    assert amount - start <= found.certificate.bound


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
