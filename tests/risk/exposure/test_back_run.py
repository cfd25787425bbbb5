"""What a route leaves to arbitrage."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from sandwich_pools import BLOCK, E18, A, B, make_pair, route

from onchain_exec.core import Exact
from onchain_exec.risk.exposure import get_back_run
from onchain_exec.risk.exposure.back_run import get_pools_after
from onchain_exec.routing import GasModel
from onchain_exec.venues import PoolSet

HERE = make_pair(1, (A, B), (10**24, 10**24))
THERE = make_pair(2, (A, B), (10**24, 10**24))


def get_best_cycle() -> int:
    """Return what buying A in the one pair and selling it in the other gains at most, on a fine scan."""
    moved, gains = get_pools_after(route((HERE,), 50_000 * E18))[HERE.key], []
    for step in range(1, 400):
        first = moved.quote(B, A, step * 100 * E18, Exact.IN)
        gains.append(THERE.quote(A, B, first, Exact.IN) - step * 100 * E18)
    return max(gains)


def test_get_back_run_is_the_cycle_that_the_trade_opens() -> None:
    found = route((HERE,), 50_000 * E18)
    gain = get_back_run(found, PoolSet(BLOCK, (HERE, THERE)), B, GasModel())
    best = get_best_cycle()
    assert best <= gain <= best * 1.001


@settings(max_examples=settings.default.max_examples // 3)
@given(st.integers(10**18, 10**23))
def test_get_back_run_without_another_way_round_is_nothing(amount: int) -> None:
    assert get_back_run(route((HERE,), amount), PoolSet(BLOCK, (HERE,)), B, GasModel()) == 0


def test_get_back_run_counts_only_what_the_route_opens() -> None:
    off = make_pair(3, (A, B), (10**24, 11 * 10**23))
    small = route((HERE,), E18)
    assert get_back_run(small, PoolSet(BLOCK, (HERE, off)), B, GasModel()) < E18


def test_get_back_run_after_dear_gas_is_nothing() -> None:
    pools = PoolSet(BLOCK, (HERE, THERE))
    assert get_back_run(route((HERE,), 50_000 * E18), pools, B, GasModel(10**9, 10.0**12)) == 0


@settings(max_examples=settings.default.max_examples // 3)
@given(st.integers(10**18, 10**23))
def test_get_pools_after_is_where_the_swaps_end(amount: int) -> None:
    found = route((HERE, THERE), amount)
    after = get_pools_after(found)
    for hop in found.hops:
        assert after[hop.pool.key].reserve0 == 10**24 + hop.amount_in
        assert after[hop.pool.key].reserve1 == 10**24 - hop.amount_out
