"""Runs in degenbot's environment: quotes of the pools given on stdin, per second, on stdout.

The Curve pool is made without its constructor, which reads a node; what is timed is its own quote.
"""

import json
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from degenbot.aerodrome.functions import calc_exact_in_stable
from degenbot.curve.curve_stableswap_liquidity_pool import CurveStableswapPool


def make_stable(state: dict[str, Any]) -> Callable[[int], int]:
    """Return the three pool's quote from its first to its second token."""
    pool = object.__new__(CurveStableswapPool)
    pool.address, pool.base_pool = state["address"], None
    pool.tokens = tuple(state["tokens"])
    pool.balances = tuple(int(balance) for balance in state["balances"])
    pool.rate_multipliers = tuple(int(rate) for rate in state["rates_wad"])
    pool.precision_multipliers = tuple(10 ** (18 - decimals) for decimals in state["decimals"])
    pool.fee = int(state["fee_e10"])
    pool.initial_a_coefficient = pool.future_a_coefficient = pool.a_coefficient = int(state["amp"])
    pool.initial_a_coefficient_time = pool.future_a_coefficient_time = 0
    pool._create_timestamp = 1
    return lambda amount: pool._get_dy(0, 1, amount, block_identifier=1)


def make_solidly(state: dict[str, Any]) -> Callable[[int], int]:
    """Return the stable pool's quote of token 0."""
    reserves = [int(reserve) for reserve in state["reserves"]]
    units = [10**decimals for decimals in state["decimals"]]
    fee = Fraction(int(state["fee_pips"]), 1_000_000)
    return lambda amount: calc_exact_in_stable(amount, 0, *reserves, *units, fee)


def measure(quote: Callable[[int], int], texts: list[str]) -> dict[str, Any]:
    """Return the answers, and quotes per second: the best of three rounds."""
    amounts = [int(text) for text in texts]
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        answers = [quote(amount) for amount in amounts]
        best = max(best, len(amounts) / (time.process_time() - start))
    return {"answers": [str(answer) for answer in answers], "per_second": best}


request = json.load(sys.stdin)
quotes = {
    "stable quote": make_stable(request["stable"]),
    "solidly quote": make_solidly(request["solidly"]),
}
json.dump({name: measure(quote, request["amounts"][name]) for name, quote in quotes.items()}, sys.stdout)
