"""Exact quotes per second of real weighted, StableSwap and Solidly pools, on distinct amounts.

The pools are those that the tests hold against the chain's recorded answers: Balancer's 20/80 WETH/BAL
(on its own bytecode in pyrevm), Curve's three pool and Aerodrome's DOLA/USDbC (in degenbot). All sides
quote the same amounts and must give the same answers.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eth_abi import decode, encode

from benchmarks import peers
from benchmarks.row import Row, higher_is_better
from onchain_exec.app.sandbox.deploy.balancer_v2 import deploy_balancer_v2
from onchain_exec.app.sandbox.deploy.tokens import deploy_token, deploy_weth
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.core import ZERO_ADDRESS, Exact, Token, to_address
from onchain_exec.core.abi import Function
from onchain_exec.core.fixed_point import MAX_UINT256, WAD
from onchain_exec.testing.evm import LocalEvm
from onchain_exec.venues.balancer import BalancerWeightedPool
from onchain_exec.venues.curve import CurveStablePool
from onchain_exec.venues.solidly import SolidlyPool

FOLDER = Path(__file__).parent
GOLDEN = FOLDER.parent / "tests" / "golden"
OURS, THEIRS, ROUNDS = 20_000, 500, 5

_CREATE = Function("create(string,string,address[],uint256[],address[],uint256,address)", "(address)")
_JOIN = Function("joinPool(bytes32,address,address,(address[],uint256[],bytes,bool))")
_POOL_ID = Function("getPoolId()", "(bytes32)")
_QUERY = Function(
    "querySwap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool))", "(uint256)"
)
_MINT, _APPROVE = Function("mint(address,uint256)"), Function("approve(address,uint256)")


def run() -> list[Row]:
    """Return the rows, after both sides of each gave the same answers."""
    rng = random.Random(20_260_102)
    weighted = _Weighted()
    stable = _load("curve_3pool_answers.json", CurveStablePool)
    solidly = _load("aerodrome_v2_answers.json", SolidlyPool)
    amounts = {
        "weighted quote": _pick(rng, weighted.balances[0] // 5),
        "stable quote": _pick(rng, stable.balances[0] // 5),
        "solidly quote": _pick(rng, solidly.reserve0 // 5),
    }
    request = {
        "stable": stable.to_json() | {"decimals": [token.decimals for token in stable.tokens]},
        "solidly": solidly.to_json() | {"decimals": [token.decimals for token in solidly.tokens]},
        "amounts": {name: [str(amount) for amount in found[:THEIRS]] for name, found in amounts.items()},
    }
    found = peers.ask_python("degenbot", FOLDER / "peer_degenbot_stable_quotes.py", request)
    bytecode = weighted.measure(amounts["weighted quote"][:THEIRS])
    return [
        _make_row("weighted quote", weighted.pool, amounts, "pyrevm", bytecode),
        _make_row("stable quote", stable, amounts, "degenbot 0.3.0", found["stable quote"]),
        _make_row("solidly quote", solidly, amounts, "degenbot 0.3.0", found["solidly quote"]),
    ]


def _make_row(name: str, pool: Any, amounts: dict[str, list[int]], peer: str, found: dict[str, Any]) -> Row:
    quote = pool.quoter(*pool.tokens[:2], Exact.IN)
    if [str(quote(amount)) for amount in amounts[name][:THEIRS]] != found["answers"]:
        raise AssertionError(f"{peer} quotes other amounts in {name!r}")
    return higher_is_better(name, _per_second(quote, amounts[name]), "per second", peer, found["per_second"])


def _pick(rng: random.Random, most: int) -> list[int]:
    """Return distinct amounts of every scale from a millionth of ``most``."""
    return [int(most * 10 ** rng.uniform(-6, 0)) + index for index in range(OURS)]


def _per_second(quote: Callable[[int], int], amounts: list[int]) -> float:
    """Return the rate by CPU time: the best of some rounds, as other work on the machine only slows."""
    best = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        for amount in amounts:
            quote(amount)
        best = max(best, len(amounts) / (time.process_time() - start))
    return best


def _load(name: str, pool_type: Any) -> Any:
    """Return the first pool of a file of recorded answers."""
    file = json.loads((GOLDEN / name).read_text())
    entry = file["pools"][0] if "pools" in file else file
    addresses = entry["state"]["tokens"]
    tokens = tuple(
        Token(1, to_address(address), f"T{number}", decimals)
        for number, (address, decimals) in enumerate(zip(addresses, entry["decimals"], strict=True))
    )
    return pool_type.from_json(entry["state"], tokens)


class _Weighted:
    """A pool with the weights and balances of main net's WETH/BAL, on Balancer's bytecode.

    WETH for BAL takes the power of a quarter: the other way the exponent 4 is multiplied out.
    """

    balances = (605007002163317945954, 29401141523139759968410400)
    weights = (2 * WAD // 10, 8 * WAD // 10)

    def __init__(self) -> None:
        self.evm = LocalEvm(1337)
        contracts = deploy_balancer_v2(self.evm, deploy_weth(self.evm, 1337).address)
        self.queries, vault = contracts["queries"], contracts["vault"]
        made = [deploy_token(self.evm, 1337, symbol, 18) for symbol in ("A", "B")]
        tokens = tuple(sorted(made, key=lambda token: int(token.address, 16)))
        for token in tokens:
            self.evm.call(DEPLOYER, token.address, _MINT.encode(DEPLOYER, 2**120))
            self.evm.call(DEPLOYER, token.address, _APPROVE.encode(vault, MAX_UINT256))
        addresses = [token.address for token in tokens]
        data = _CREATE.encode("", "", addresses, self.weights, [ZERO_ADDRESS] * 2, WAD // 100, DEPLOYER)
        created = self.evm.call(DEPLOYER, contracts["weighted_pool_factory"], data)
        address = to_address(decode(["address"], created)[0])
        self.pool_id = _POOL_ID.decode(self.evm.static_call(address, _POOL_ID.encode()))[0]
        user_data = encode(["uint256", "uint256[]"], [0, self.balances])
        request = (addresses, list(self.balances), user_data, False)
        self.evm.call(DEPLOYER, vault, _JOIN.encode(self.pool_id, DEPLOYER, DEPLOYER, request))
        self.pool = BalancerWeightedPool(
            address, "0x" + self.pool_id.hex(), vault, tokens, self.balances, WAD // 100, self.weights, 2
        )

    def measure(self, amounts: list[int]) -> dict[str, Any]:
        """Return what the contracts answer, and how many times per second."""
        return {
            "answers": [str(self._query(amount)) for amount in amounts],
            "per_second": _per_second(self._query, amounts[:100]),
        }

    def _query(self, amount: int) -> int:
        token_in, token_out = self.pool.tokens
        swap = (self.pool_id, 0, token_in.address, token_out.address, amount, b"")
        data = _QUERY.encode(swap, (DEPLOYER, False, DEPLOYER, False))
        return int(_QUERY.decode(self.evm.static_call(self.queries, data))[0])
