"""Exact quotes per second of one real v3 pool and one v2 pair, on distinct amounts.

All sides quote the same amounts of the same pools and must give the same answers. Peers: degenbot,
@uniswap/v3-sdk, and the contracts themselves in pyrevm; the row names the fastest.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.row import Row, higher_is_better
from onchain_exec.app.sandbox.deploy.tokens import deploy_tokens
from onchain_exec.app.sandbox.deploy.uniswap_v2 import deploy_uniswap_v2
from onchain_exec.app.sandbox.deploy.uniswap_v3 import deploy_uniswap_v3
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.sandbox.seed.uniswap_v2 import seed_uniswap_v2
from onchain_exec.app.sandbox.seed.uniswap_v3 import seed_uniswap_v3
from onchain_exec.core import Answer, BlockRef, Call, Exact, Reading, Snapshot, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.bisection import find_largest
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues import Pool
from onchain_exec.venues.uniswap_v2 import read_v2_pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool, read_v3_pool

FOLDER = Path(__file__).parent
BLOCK = BlockRef(1337, 1, "0x" + "0" * 64, 1_700_000_000, 0, 30_000_000)
CROSSINGS = (0, 10, 100)
OURS, THEIRS = 20_000, 500  # amounts per round; theirs are the first of ours
ROUNDS = 5

_QUOTE = Function(
    "quoteExactInputSingle((address,address,uint256,uint24,uint160))", "(uint256,uint160,uint32,uint256)"
)
_AMOUNTS_OUT = Function("getAmountsOut(uint256,address[])", "(uint256[])")


def run() -> list[Row]:
    """Return the rows, after all sides gave the same answers."""
    market = _Market()
    rng = random.Random(20_260_101)
    amounts = {f"v3 quote, {ticks} ticks": _pick_amounts(market.v3_pool, ticks, rng) for ticks in CROSSINGS}
    amounts["v2 quote"] = [rng.randrange(10**12, 10**19) for _ in range(OURS)]
    request = {
        "v3": market.v3_pool.to_json(),
        "v2": market.v2_pool.to_json(),
        "amounts": {name: [str(amount) for amount in found[:THEIRS]] for name, found in amounts.items()},
    }
    found: dict[str, dict[str, Any]] = {
        "degenbot 0.3.0": peers.ask_python("degenbot", FOLDER / "peer_degenbot_quotes.py", request),
        "@uniswap/v3-sdk": peers.ask_node(FOLDER / "peer_v3_sdk_quotes.cjs", request),
        "pyrevm": {name: market.measure(name, found[:THEIRS]) for name, found in amounts.items()},
    }
    return [_make_row(name, market, amounts[name], found) for name in amounts]


def _make_row(name: str, market: _Market, amounts: list[int], peers_found: dict[str, dict[str, Any]]) -> Row:
    pool: Pool = market.v3_pool if name.startswith("v3") else market.v2_pool
    quote = pool.quoter(*pool.tokens, Exact.IN)
    answers = [str(quote(amount)) for amount in amounts[:THEIRS]]
    by_peer = {peer: found[name] for peer, found in peers_found.items() if name in found}
    for peer, found in by_peer.items():
        if found["answers"] != answers:
            raise AssertionError(f"{peer} quotes other amounts in {name!r}")
    fastest = max(by_peer, key=lambda peer: by_peer[peer]["per_second"])
    ours = _per_second(quote, amounts)
    return higher_is_better(name, ours, "per second", fastest, by_peer[fastest]["per_second"])


def _pick_amounts(pool: UniswapV3Pool, ticks: int, rng: random.Random) -> list[int]:
    """Return distinct inputs of token 0 that cross exactly ``ticks`` initialised ticks."""

    def most(crossed: int) -> int:
        return find_largest(
            lambda amount: pool.swap(*pool.tokens, amount, Exact.IN).ticks_crossed <= crossed, 1, 10**40
        )

    low = most(ticks - 1) + 1 if ticks else 1
    high = most(ticks)
    return [rng.randint(low, high) for _ in range(OURS)]


def _per_second(quote: Callable[[int], int], amounts: list[int]) -> float:
    """Return the rate by CPU time: the best of some rounds, as other work on the machine only slows."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        for amount in amounts:
            quote(amount)
        best = max(best, len(amounts) / (time.process_time() - start))
    return best


class _Market:
    """The sandbox's pools in this process: the v3 pool with the most ticks, and the first v2 pair."""

    def __init__(self) -> None:
        self.evm = LocalEvm()
        tokens = deploy_tokens(self.evm, 1337)
        self.v2 = deploy_uniswap_v2(self.evm, tokens["WETH"].address)
        self.v3 = deploy_uniswap_v3(self.evm, tokens["WETH"].address, self.v2["factory"])
        v3_keys = seed_uniswap_v3(self.evm, self.v3, tokens)
        v2_keys = seed_uniswap_v2(self.evm, self.v2, tokens)
        self.v3_pool: UniswapV3Pool = self._perform(read_v3_pool(to_address(v3_keys[0].split(":")[1])))
        self.v2_pool = self._perform(read_v2_pool(to_address(v2_keys[0].split(":")[1])))

    def measure(self, name: str, amounts: list[int]) -> dict[str, Any]:
        """Return what the contracts answer, and how many times per second."""
        quote = self._quote_v3 if name.startswith("v3") else self._quote_v2
        return {
            "answers": [str(quote(amount)) for amount in amounts],
            "per_second": _per_second(quote, amounts[:100]),
        }

    def _quote_v3(self, amount: int) -> int:
        token_in, token_out = self.v3_pool.tokens
        fee_pips = self.v3_pool.curve.fee_pips
        data = _QUOTE.encode((token_in.address, token_out.address, amount, fee_pips, 0))
        return int(_QUOTE.decode(self.evm.static_call(self.v3["quoter"], data))[0])

    def _quote_v2(self, amount: int) -> int:
        data = _AMOUNTS_OUT.encode(amount, [token.address for token in self.v2_pool.tokens])
        return int(_AMOUNTS_OUT.decode(self.evm.static_call(self.v2["router"], data))[0][1])

    def _perform(self, reading: Reading[Any]) -> Any:
        try:
            calls = next(reading)
            while True:
                calls = reading.send(Snapshot(BLOCK, tuple(self._answer(call) for call in calls)))
        except StopIteration as done:
            return done.value

    def _answer(self, call: Call) -> Answer:
        assert call.to is not None
        if call.code:
            self.evm.set_code(call.to, call.code)
        return Answer(True, self.evm.static_call(call.to, call.data, DEPLOYER))
