"""Each curve's closed-form best trade, against the exact pool it describes."""

from __future__ import annotations

from itertools import permutations
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import A, B, C, make_pool, pool_set

from onchain_exec.core import Exact, Token, to_address
from onchain_exec.errors import PoolRevertError
from onchain_exec.routing import Network
from onchain_exec.venues.balancer import BalancerStablePool, BalancerWeightedPool
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick
from onchain_exec.venues.curve import CurveStablePool, StableFlavour
from onchain_exec.venues.solidly import SolidlyPool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

ADDRESS = to_address("0x" + "99" * 20)
USDC = Token(1, to_address("0x" + "06" * 20), "USDC", 6)
E18 = 10**18


def concentrated(tick: int) -> UniswapV3Pool:
    ticks = Ticks(
        60,
        (-6000, -1200, -60, 60, 1800, 6000),
        (10**21, 10**22, 5 * 10**22, -5 * 10**22, -(10**22), -(10**21)),
    )
    return UniswapV3Pool(
        ADDRESS,
        A,
        B,
        Curve(get_sqrt_price_at_tick(tick) + 12345, tick, ticks.get_liquidity(tick), 3_000, ticks),
    )


def weighted() -> BalancerWeightedPool:
    weights = (E18 // 2, E18 * 3 // 10, E18 // 5)
    balances = (4_000 * E18, 900 * E18, 7_000 * E18)
    return BalancerWeightedPool(
        ADDRESS, "0x" + "11" * 32, ADDRESS, (A, B, C), balances, E18 // 400, weights, 2
    )


def balancer_stable() -> BalancerStablePool:
    return BalancerStablePool(
        ADDRESS, "0x" + "11" * 32, ADDRESS, (A, USDC, C), (10**24, 2 * 10**12, 5 * 10**23), E18 // 2500,
        (E18, 10**30, 11 * 10**17), 200_000,
    )  # fmt: skip


def curve_stable() -> CurveStablePool:
    return CurveStablePool(
        ADDRESS, (A, USDC, C), (10**24, 3 * 10**12, 5 * 10**23), (E18, 10**30, E18),
        2_000, 4_000_000, 5 * 10**9, 0, StableFlavour.THREEPOOL,
    )  # fmt: skip


POOLS = {
    "product": make_pool(1, (A, B), (10**21, 3 * 10**21)),
    "concentrated": concentrated(15),
    "concentrated_below": concentrated(-1300),
    "weighted": weighted(),
    "balancer_stable": balancer_stable(),
    "curve_stable": curve_stable(),
    "solidly_stable": SolidlyPool(ADDRESS, A, USDC, 10**24, 5 * 10**11, True, 500),
    "solidly_volatile": SolidlyPool(ADDRESS, A, B, 10**24, 5 * 10**23, False, 3_000),
}


def cases():
    for name, pool in POOLS.items():
        for token_in, token_out in permutations(pool.tokens, 2):
            yield pytest.param(pool, token_in, token_out, id=f"{name} {token_in}>{token_out}")


def edge_of(pool, token_in, token_out):
    network = Network.build(pool_set(pool))
    edges = network.edges
    source, target = network.number(token_in), network.number(token_out)
    return edges.take(np.flatnonzero((edges.source == source) & (edges.target == target)))


def trade_at(edge, excess):
    """The trade at a price ``exp(excess)`` better than the pool's own after its fee."""
    log_prices = np.zeros(max(edge.source[0], edge.target[0]) + 1)
    log_prices[edge.target[0]] = -edge.start()[0] + excess
    return log_prices, edge.trade(log_prices)


@pytest.mark.parametrize(("pool", "token_in", "token_out"), cases())
@pytest.mark.parametrize("excess", [1e-4, 1e-3, 1e-2, 0.1])
def test_trade_equals_the_exact_pool(pool, token_in, token_out, excess):
    _, trade = trade_at(edge_of(pool, token_in, token_out), excess)
    amount_in = int(trade.amount_in[0])
    exact = pool.quote(token_in, token_out, amount_in, Exact.IN)
    unit_in = float(pool.spot_price(token_in, token_out))
    assert trade.amount_out[0] == pytest.approx(exact, rel=1e-9, abs=3 + 3 * unit_in)


@pytest.mark.parametrize(("pool", "token_in", "token_out"), cases())
@given(excess=st.floats(1e-5, 0.3), factor=st.floats(0, 3))
def test_trade_no_other_amount_earns_more(pool, token_in, token_out, excess, factor):
    edge = edge_of(pool, token_in, token_out)
    log_prices, trade = trade_at(edge, excess)
    price = exp(log_prices[edge.target[0]] - log_prices[edge.source[0]])
    given, taken = price * (trade.amount_out[0] + edge.rounding[0]), trade.amount_in[0]
    other = int(trade.amount_in[0] * factor)
    try:
        other_earned = price * pool.quote(token_in, token_out, other, Exact.IN) - other
    except PoolRevertError:
        return
    assert other_earned <= given - taken + 2.0**-40 * (given + taken)


@pytest.mark.parametrize(("pool", "token_in", "token_out"), cases())
def test_trade_at_or_below_the_start_is_nothing(pool, token_in, token_out):
    edge = edge_of(pool, token_in, token_out)
    for excess in (0.0, -1e-9, -1.0):
        _, trade = trade_at(edge, excess)
        assert trade.amount_in[0] <= 1e-12 * pool.depth(token_in, token_out, 100)


@pytest.mark.parametrize(("pool", "token_in", "token_out"), cases())
def test_start_is_the_spot_price_after_the_fee(pool, token_in, token_out):
    edge = edge_of(pool, token_in, token_out)
    spot = pool.spot_price(token_in, token_out)
    fee = pool.fee_pips(token_in, token_out) / 1e6
    expected = log(spot.numerator) - log(spot.denominator) + log(1 - fee)
    assert edge.start()[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("pool", "token_in", "token_out"), cases())
@pytest.mark.parametrize("excess", [1e-3, 0.05])
def test_trade_slope_is_the_derivative(pool, token_in, token_out, excess):
    edge = edge_of(pool, token_in, token_out)
    step = 1e-6
    (_, low), (_, middle), (_, high) = (trade_at(edge, excess + part * step) for part in (-1, 0, 1))
    difference = (high.amount_in[0] - low.amount_in[0]) / (2 * step)
    assert middle.slope[0] == pytest.approx(difference, rel=1e-4)


def test_trade_without_liquidity_is_no_edge():
    empty = UniswapV3Pool(ADDRESS, A, B, Curve(2**96, 0, 0, 3_000, Ticks(60, (), ())))
    assert len(Network.build(pool_set(empty, make_pool(1, (A, B), (0, 0)))).edges) == 0
