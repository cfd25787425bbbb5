"""Each curve's closed-form best trade, against the exact pool it describes."""

from __future__ import annotations

from itertools import permutations
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import A, B, make_pool, pool_set
from pool_kinds import ADDRESS, POOLS

from onchain_exec.core import Exact
from onchain_exec.errors import PoolRevertError
from onchain_exec.routing import Network
from onchain_exec.venues.concentrated import Curve, Ticks
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool


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
        assert trade.amount_in.sum() <= 1e-12 * pool.depth(token_in, token_out, 100)


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
