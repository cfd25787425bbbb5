"""What is decided before an order is sent: what it lays open, the bound that follows, the channel.

A route through five real v3 pools (mainnet states of the golden file), its quote's bound and sandwich
computed anew each time, then the channel chosen among all.
"""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path

from benchmarks.row import Row
from onchain_exec.app.channels.choice import get_stakes
from onchain_exec.core import Order, to_address
from onchain_exec.execution.channels import Channel, ChannelPolicy, Offers, TrackRecord, choose_channel
from onchain_exec.risk.exposure import Attacker, Inclusion, Volatility, bound_quote
from onchain_exec.routing import GasModel, Options, Route, Shape, Swap, find_route, make_quote
from onchain_exec.venues.pool_file import pool_set_from_json

ROUNDS = 51
POOLS = 5
GAS = GasModel(20 * 10**9, 1.0)
REAL = Path(__file__).parent.parent / "tests" / "golden" / "routing_mainnet_19_pools.json"
MOVES = Volatility(0.0003)


def run() -> list[Row]:
    """Return the median of CPU time, each round with nothing remembered of the one before."""
    quote = make_quote(*_make_order())
    offers = Offers(dict.fromkeys(Channel, TrackRecord()), {}, private_only=False)
    took_ms = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        bounded = bound_quote(quote, MOVES, Attacker(GAS), Inclusion(), given=False)
        choose_channel(get_stakes(bounded), offers, ChannelPolicy(), 1)
        took_ms.append((time.process_time() - begun) * 1e3)
    return [Row("mev decision", statistics.median(took_ms), "ms")]


def _make_order() -> tuple[Order, Route, GasModel, int]:
    """Return the arguments of a quote of two million dollars of USDT for WETH."""
    pools = pool_set_from_json(json.loads(REAL.read_text()))
    tokens = {token.symbol: token for pool in pools.pools for token in pool.tokens}
    swap = Swap(tokens["USDT"], tokens["WETH"], 2_000_000 * 10**6)
    route = find_route(swap, pools, options=Options(shape=Shape.GRAPH))
    assert len({hop.pool.key for hop in route.hops}) == POOLS
    trader = to_address("0x" + "7e" * 20)
    order = Order("1", "", trader, trader, swap.token_in, swap.token_out, swap.amount, swap.exact, 50, 1)
    return order, route, GAS, 0
