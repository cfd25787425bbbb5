"""The same swap by Balancer's smart order router, over weighted pools that are the market's own curves."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from benchmarks.peers import ask_node
from benchmarks.pool_graphs import Market

PROGRAM = Path(__file__).parent / "peer_balancer_sor.cjs"
MOST_POOLS = 16


def solve_balancer_sor(market: Market) -> tuple[float, float]:
    """Return (milliseconds of CPU, amount out) of its warm search over at most 16 pools and two hops."""
    found = ask_node(
        PROGRAM,
        {
            "pools": [
                {
                    "address": pool.address,
                    "tokens": [token.address for token in pool.tokens],
                    "reserves": [str(Decimal(r).scaleb(-18)) for r in (pool.reserve0, pool.reserve1)],
                    "fee": str(Decimal(pool.swap_fee_pips).scaleb(-6)),
                }
                for pool in market.pools.pools
            ],
            "token_in": market.token_in.address,
            "token_out": market.token_out.address,
            "amount": str(market.amount),
            "max_pools": MOST_POOLS,
        },
    )
    return found["ms"], float(found["amount_out"])
