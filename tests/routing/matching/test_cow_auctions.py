"""CoW Protocol's own published auctions: its reference solver's settlements are never better than ours.

The auctions and settlements are in ``tests/golden/cow_auctions.json``, which names where they are published.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from matching_books import BLOCK, require_settles

from onchain_exec.clearing.settle import Flags, SettleOrder
from onchain_exec.core import Address, Token, to_address
from onchain_exec.core.fixed_point import PIPS, WAD
from onchain_exec.routing.matching import BookOrder, MatchedFill, find_match, find_prices
from onchain_exec.routing.matching.match import get_gain
from onchain_exec.venues import Pool, PoolSet
from onchain_exec.venues.balancer import BalancerWeightedPool
from onchain_exec.venues.uniswap_v2 import UniswapV2Pool

CASES = json.loads((Path(__file__).parents[2] / "golden" / "cow_auctions.json").read_text("utf-8"))["cases"]


def read_pool(number: int, told: dict[str, Any]) -> Pool:
    address = to_address((number + 1).to_bytes(20))
    held = sorted((to_address(token.lower()), int(balance)) for token, balance in told["tokens"].items())
    tokens = tuple(Token(1, token, token[:6], 18) for token, _ in held)
    balances = tuple(balance for _, balance in held)
    if told["kind"] == "constantProduct":
        return UniswapV2Pool(address, *tokens, *balances, int(Decimal(told["fee"]) * PIPS))
    weights = {to_address(token.lower()): int(Decimal(w) * WAD) for token, w in told["weights"].items()}
    fee = int(Decimal(told["fee"]) * WAD)
    ordered = tuple(weights[token] for token, _ in held)
    return BalancerWeightedPool(address, "0x" + f"{number:064x}", address, tokens, balances, fee, ordered, 2)


def read_order(number: int, told: dict[str, Any]) -> BookOrder:
    flags = Flags.NONE if told["partly"] else Flags.FILL_OR_KILL
    order = SettleOrder(
        to_address((number + 1).to_bytes(20, "little")),
        to_address(told["sell"].lower()),
        to_address(told["buy"].lower()),
        int(told["amount_in"]),
        int(told["amount_out"]),
        deadline_at=2**32 - 1,
        seq=1,
        flags=flags | Flags.EXACT_OUT if told["exact_out"] else flags,
    )
    return BookOrder(order, order.size)


SLOW = "large_example"  # 52 pools that contradict one another: seconds
PARAMETERS = [
    pytest.param(case, id=case["name"], marks=[pytest.mark.deep] if case["name"] == SLOW else [])
    for case in CASES
]


def read_auction(case: dict[str, Any]) -> tuple[list[BookOrder], PoolSet, dict[Address, float]]:
    pools = PoolSet(BLOCK, tuple(read_pool(*item) for item in enumerate(case["pools"])))
    book = [read_order(*item) for item in enumerate(case["orders"])]
    return book, pools, find_prices([entry.order for entry in book], pools.pools, book[0].order.token_out)


@pytest.mark.parametrize("case", PARAMETERS)
def test_find_match_published_auction_is_never_settled_worse(case: dict[str, Any]) -> None:
    book, pools, prices = read_auction(case)
    match = find_match(book, pools, prices)
    require_settles(match, pools)
    theirs = sum(
        get_gain(MatchedFill(book[order], int(amount_in), int(amount_out)), prices)
        for order, amount_in, amount_out in case["settled"]
    )
    assert match.gain >= theirs > 0


MATCH_ALL = """
from test_cow_auctions import CASES, SLOW, find_match, read_auction
for case in CASES:
    if case["name"] != SLOW:
        find_match(*read_auction(case))
"""


def test_find_match_writes_nothing_on_standard_output() -> None:
    """What a library in C++ writes there comes out when the process ends."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(Path(__file__).parent), *sys.path))}
    assert subprocess.check_output([sys.executable, "-c", MATCH_ALL], env=environment) == b""
