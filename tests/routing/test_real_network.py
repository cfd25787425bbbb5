"""Real pools of one moment: 18 trades of $10k to $50M, each near its bound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from onchain_exec.core import Exact
from onchain_exec.routing import Network, Options, Shape, Swap, find_route
from onchain_exec.venues.pool_file import pool_set_from_json

FILE = Path(__file__).parent.parent / "golden" / "routing_mainnet_19_pools.json"
DOLLARS = {"USDC": 1, "USDT": 1, "WETH": 2_700, "WBTC": 82_000}
PAIRS = (
    ("USDC", "WETH"),
    ("WETH", "USDT"),
    ("USDT", "WETH"),
    ("WBTC", "USDC"),
    ("USDC", "WBTC"),
    ("WETH", "WBTC"),
)
TRADES = [(sell, buy, size) for sell, buy in PAIRS for size in (10_000, 1_000_000, 50_000_000)]
GRAPH = Options(shape=Shape.GRAPH)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.build(pool_set_from_json(json.loads(FILE.read_text())))


def make_swap(network, sell, buy, dollars, exact=Exact.IN) -> Swap:
    tokens = {token.symbol: token for token in network.tokens}
    fixed = tokens[sell if exact is Exact.IN else buy]
    return Swap(tokens[sell], tokens[buy], dollars * 10**fixed.decimals // DOLLARS[fixed.symbol], exact)


@pytest.mark.parametrize(("sell", "buy", "dollars"), TRADES)
def test_find_route_real_trade_is_within_a_thousandth_of_a_bp(network, sell, buy, dollars):
    route = find_route(make_swap(network, sell, buy, dollars), network, options=GRAPH)
    assert 0 <= route.gap_bps <= 0.001
    assert route.best_single_amount is None or route.amount_out >= route.best_single_amount


@pytest.mark.parametrize(("sell", "buy", "dollars"), [trade for trade in TRADES if trade[2] < 50_000_000])
def test_find_route_real_exact_output_is_within_a_thousandth_of_a_bp(network, sell, buy, dollars):
    route = find_route(make_swap(network, sell, buy, dollars, Exact.OUT), network, options=GRAPH)
    assert 0 <= route.gap_bps <= 0.001


@pytest.mark.parametrize(("sell", "buy", "dollars"), TRADES)
def test_find_route_real_trade_as_whole_paths_loses_little(network, sell, buy, dollars):
    route = find_route(make_swap(network, sell, buy, dollars), network)
    assert 0 <= route.gap_bps <= 1
    for leg in route.legs:
        assert (leg.hops[0].token_in.symbol, leg.hops[-1].token_out.symbol) == (sell, buy)
