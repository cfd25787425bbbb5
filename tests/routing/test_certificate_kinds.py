"""Certificates over pools of every kind, checked with exact rationals and the pools' own integers alone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import A, B, C, make_pool, pool_set
from pool_kinds import MOVING_FEES, POOLS, USDC

from onchain_exec.core import Exact
from onchain_exec.errors import NoPoolError, NoRouteError, PoolRevertError
from onchain_exec.routing import Options, Shape, Swap, find_route

GRAPH = Options(shape=Shape.GRAPH, max_hops=6)
KINDS = {
    name: replace(pool, address=f"0x{number:040x}")
    for number, (name, pool) in enumerate((POOLS | MOVING_FEES).items(), 1)
}
SIZES = [digit * 10**zeros for zeros in (17, 19, 21, 22, 23) for digit in (1, 3)]

markets_of_kinds = st.sets(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3).map(
    lambda names: pool_set(*(KINDS[name] for name in sorted(names)))
)
ends = st.sampled_from(list(permutations((A, B, C, USDC), 2)))


def best_profit(pool, pair, prices):
    """The most that any of the tried amounts earns at the prices, exactly."""
    price_in, price_out = (Fraction(prices[token]) for token in pair)
    best = Fraction(0)
    for size in SIZES:
        amount = size // 10**12 if pair[0] == USDC else size
        try:
            best = max(best, price_out * pool.quote(*pair, amount, Exact.IN) - price_in * amount)
        except PoolRevertError:
            continue
    return best


@settings(max_examples=settings().max_examples // 3)  # the exact integers of stable curves take their time
@given(markets_of_kinds, ends, st.integers(10**9, 10**24), st.sampled_from(Exact))
def test_bound_is_no_less_than_what_tried_amounts_earn_at_the_prices(market, pair, amount, exact):
    if (pair[0] if exact is Exact.IN else pair[1]) == USDC:
        amount = 1 + amount // 10**12
    try:
        route = find_route(Swap(*pair, amount, exact), market, options=GRAPH)
    except (NoPoolError, NoRouteError):
        assume(False)
    assume(not route.certificate.excluded)
    prices = route.certificate.prices
    total = Fraction(prices[pair[0]]) * amount if exact is Exact.IN else -Fraction(prices[pair[1]]) * amount
    for pool in market.pools:
        for side in permutations(pool.tokens, 2):
            inside = side[0] in prices and side[1] in prices
            if inside and side[1] != pair[0] and side[0] != pair[1]:
                total += best_profit(pool, side, prices)
    if exact is Exact.OUT:
        total = min(total, Fraction(-1))  # whatever the prices say, nothing is had for nothing
    bound = route.bound if exact is Exact.IN else -route.bound
    assert bound + 1 >= total
    assert prices[pair[1] if exact is Exact.IN else pair[0]] == 1
    run_hops(route, market, exact)


def run_hops(route, market, exact):
    """Each hop, in the order they run, is its pool's own swap, and no token is left or owed."""
    state = {pool.key: pool for pool in market.pools}
    balance = dict.fromkeys((hop.token_in for hop in route.hops), 0) | {route.token_out: 0}
    for hop in route.hops:
        fixed = hop.amount_in if exact is Exact.IN else hop.amount_out
        done = state[hop.pool.key].swap(hop.token_in, hop.token_out, fixed, exact)
        assert (done.amount_in, done.amount_out) == (hop.amount_in, hop.amount_out)
        state[hop.pool.key] = done.pool_after
        balance[hop.token_in] -= hop.amount_in
        balance[hop.token_out] += hop.amount_out
    assert balance.pop(route.token_in) == -route.amount_in
    assert balance.pop(route.token_out) == route.amount_out
    assert not any(balance.values())


def test_find_route_several_flows_through_one_pool_meet_it_one_after_the_other():
    pool = KINDS["weighted"]
    market = pool_set(pool, make_pool(1, (A, B), (10**21, 4 * 10**20)))
    route = find_route(Swap(A, C, 10**20), market, options=GRAPH)
    assert [hop.pool.key for hop in route.hops].count(pool.key) == 3
    run_hops(route, market, Exact.IN)


def test_find_route_beside_a_pool_off_its_curve_names_it_as_left_out_of_the_proof():
    off = replace(KINDS["crypto_three"], address=f"0x{99:040x}", moved=True)
    market = pool_set(KINDS["product"], off)
    route = find_route(Swap(A, B, 10**20, Exact.IN), market, options=GRAPH)
    (exclusion,) = route.certificate.excluded
    assert exclusion.pools == (off.key,)
