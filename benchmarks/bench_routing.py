"""Routes over 10 to 10,000 pools and their certified gaps.

Peers: L-BFGS-B on the dual, Clarabel, Balancer's smart order router, and whole paths on a grid of five
percent. The last two are left out where their paths are too many.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.balancer_sor import solve_balancer_sor
from benchmarks.dual_peers import solve_clarabel, solve_lbfgsb
from benchmarks.percent_split import solve_percent_split
from benchmarks.pool_graphs import Market, hub_graph, random_graph
from benchmarks.row import Row, lower_is_better
from onchain_exec.routing import GasModel, Network, Options, Route, Shape, Swap, find_route
from onchain_exec.venues.pool_file import pool_set_from_json

ROUNDS = 5
SEED = 1
GRAPH = Options(shape=Shape.GRAPH, max_hops=10)
IN_A_SECOND = Options(  # what is left of it is for the answer
    shape=Shape.GRAPH, max_hops=10, time_limit_ms=900, clock=time.perf_counter
)
REAL = Path(__file__).parent.parent / "tests" / "golden" / "routing_mainnet_19_pools.json"
REAL_PAIRS = ("USDC WETH", "WETH USDT", "USDT WETH", "WBTC USDC", "USDC WBTC", "WETH WBTC")
DOLLARS = {"USDC": 1, "USDT": 1, "WETH": 2_700, "WBTC": 82_000}
REAL_SIZES = (10_000, 1_000_000, 50_000_000)


def run() -> list[Row]:
    """Return CPU time (median of five) and gap of each market: of a further route at the same block, the
    network built and the pools asked before, but where a row says that it is the first."""
    rows: list[Row] = []
    for count in (10, 100, 1_000, 10_000):
        market = random_graph(count, SEED)
        paths = (solve_balancer_sor, solve_percent_split) if count <= 1_000 else ()
        peers = (solve_clarabel, solve_lbfgsb, *paths)
        rows += _rows(f"route {count} pools", market, GRAPH, peers=peers)
    for count in (10, 100, 1_000, 10_000):
        rows += _rows(f"hub route {count} pools", hub_graph(count, SEED), GRAPH)
    for count in (100, 1_000, 10_000):
        rows += _rows(f"v3 route {count} pools", random_graph(count, SEED, v3_share=0.5), GRAPH)
    for count in (100, 1_000, 10_000):
        rows += _rows(f"gas route {count} pools", random_graph(count, SEED), IN_A_SECOND, gas_bps=1.0)
    rows += [_first_row("route 1000 pools", 0.0), _first_row("v3 route 1000 pools", 0.5)]
    return rows + _real_rows()


def _first_row(name: str, v3_share: float) -> Row:
    """Return the CPU time of the first route over pools that nobody asked before, with the network's."""
    times = []
    for _ in range(ROUNDS):
        market = random_graph(1_000, SEED, v3_share)
        start = time.process_time()
        find_route(Swap(market.token_in, market.token_out, market.amount), market.pools, options=GRAPH)
        times.append((time.process_time() - start) * 1e3)
    return Row(f"{name} first at its block", statistics.median(times), "ms")


def _rows(
    name: str,
    market: Market,
    options: Options,
    gas_bps: float = 0.0,
    peers: tuple[Callable[[Market], tuple[float, float]], ...] = (),
) -> list[Row]:
    """Return the rows of a market; ``gas_bps`` is a swap's gas as a share of the order's output."""
    network = Network.build(market.pools)
    swap = Swap(market.token_in, market.token_out, market.amount)
    free = find_route(swap, network, options=GRAPH)
    gas = GasModel(1, gas_bps / 1e4 * free.amount_out / 65_000)
    took_ms, route = _median_ms(lambda: find_route(swap, network, gas, options=options))
    gap = Row(f"{name} gap", route.gap_bps, "bps")
    if not peers:
        return [Row(name, took_ms, "ms"), gap]
    timed = []
    for solve in peers:
        peer_ms, reached = solve(market)
        peer = f"{solve.__name__.removeprefix('solve_')} ({(reached / free.amount_out - 1) * 1e4:+.1e} bps)"
        timed.append(lower_is_better(name, took_ms, "ms", peer, peer_ms))
    return [*timed, gap]


def _real_rows() -> list[Row]:
    network = Network.build(pool_set_from_json(json.loads(REAL.read_text())))
    tokens = {token.symbol: token for token in network.tokens}
    swaps = [
        Swap(tokens[sell], tokens[buy], size * 10 ** tokens[sell].decimals // DOLLARS[sell])
        for sell, buy in map(str.split, REAL_PAIRS)
        for size in REAL_SIZES
    ]
    found = [_median_ms(lambda swap=swap: find_route(swap, network, options=GRAPH)) for swap in swaps]
    times = [took_ms for took_ms, _ in found]
    return [
        Row("route real network", statistics.median(times), "ms"),
        Row("route real network slowest", max(times), "ms"),
        Row("route real network gap", max(route.gap_bps for _, route in found), "bps"),
    ]


def _median_ms(call: Callable[[], Route]) -> tuple[float, Route]:
    route, times = call(), []
    for _ in range(ROUNDS):
        start = time.process_time()
        route = call()
        times.append((time.process_time() - start) * 1e3)
    return statistics.median(times), route
