"""Pools of real chains against their own quoters, at the newest block of the node that FORK_URL names.

The gate checks pools of the local chain in the same way, so that the check itself stays sound.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from connected import connected

from onchain_exec.app.pools.quoting import PoolQuotes, quote_pool
from onchain_exec.app.pools.reading import read_named_pools
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import Node
from onchain_exec.core import ZERO_ADDRESS, Address, Call, Reading, to_address
from onchain_exec.core.abi import Function
from onchain_exec.venues.answer import decode_answer
from onchain_exec.venues.balancer import BalancerPool
from onchain_exec.venues.pool_name import parse_pool_name
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool
from onchain_exec.venues.uniswap_v4 import UniswapV4Pool
from onchain_exec.venues.uniswap_v4.key import KEY_TYPE

WETH, USDC = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
AMOUNTS: Final = (1, 10**3, 10**6)  # times the case's own unit

_V2 = Function("getAmountsOut(uint256,address[])", "(uint256[])")
_V3 = Function(
    "quoteExactInputSingle((address,address,uint256,uint24,uint160))", "(uint256,uint160,uint32,uint256)"
)
_SLIPSTREAM = Function(
    "quoteExactInputSingle((address,address,uint256,int24,uint160))", "(uint256,uint160,uint32,uint256)"
)
_V4 = Function(f"quoteExactInputSingle(({KEY_TYPE},bool,uint128,bytes))", "(uint256,uint256)")
_BALANCER = Function(
    "querySwap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool))", "(uint256)"
)
_SOLIDLY = Function("getAmountOut(uint256,address)", "(uint256)")
_DEPOSIT = Function("previewDeposit(uint256)", "(uint256)")

Ask = tuple[Function, tuple[Any, ...]]
"""A quoter's function and its arguments."""


def ask_v2(found: PoolQuotes, amount: int) -> Ask:
    return _V2, (amount, (found.token_in.address, found.token_out.address))


def ask_v3(found: PoolQuotes, amount: int) -> Ask:
    assert isinstance(found.pool, UniswapV3Pool)
    sides = found.token_in.address, found.token_out.address
    return _V3, ((*sides, amount, found.pool.curve.fee_pips, 0),)


def ask_slipstream(found: PoolQuotes, amount: int) -> Ask:
    assert isinstance(found.pool, UniswapV3Pool)
    sides = found.token_in.address, found.token_out.address
    return _SLIPSTREAM, ((*sides, amount, found.pool.curve.ticks.spacing, 0),)


def ask_v4(found: PoolQuotes, amount: int) -> Ask:
    assert isinstance(found.pool, UniswapV4Pool)
    return _V4, ((found.pool.pool_key.to_tuple(), found.token_in == found.pool.token0, amount, b""),)


def ask_balancer(found: PoolQuotes, amount: int) -> Ask:
    assert isinstance(found.pool, BalancerPool)
    sides = found.token_in.address, found.token_out.address
    funds = (ZERO_ADDRESS, False, ZERO_ADDRESS, False)
    return _BALANCER, ((found.pool.pool_id_bytes, 0, *sides, amount, b""), funds)


def ask_solidly(found: PoolQuotes, amount: int) -> Ask:
    return _SOLIDLY, (amount, found.token_in.address)


def ask_vault(found: PoolQuotes, amount: int) -> Ask:
    return _DEPOSIT, (amount,)


@dataclass(frozen=True)
class Case:
    """A pool, what to sell in it (amounts are times ``unit``), and who is asked what it gives."""

    chain_id: int
    pool: str
    token_in: str
    unit: int
    quoter: str
    ask: Callable[[PoolQuotes, int], Ask]


ETHEREUM, BASE = 1, 8453
BALANCER_QUERIES = "0xE39B5e3B6D74016b2F6A9673D7d7493B6DF549d5"
BASE_WETH = "0x4200000000000000000000000000000000000006"
AERODROME = "0xcDAC0d6c6C59727a65F871236188350531885C43"
SUSDE = "0x9D39A5DE30e57443BfF2A8307A4256c8797A3497"
CASES = {
    "v2 USDC/WETH": Case(
        ETHEREUM, "uniswap_v2:0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc", WETH, 10**13,
        "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D", ask_v2,
    ),
    "v3 USDC/WETH 500": Case(
        ETHEREUM, "uniswap_v3:0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", WETH, 10**15,
        "0x61fFE014bA17989E743c5F6cB21bF9697530B21e", ask_v3,
    ),
    "PancakeSwap v3 USDC/WETH 500": Case(
        ETHEREUM, "pancake_v3:0x1ac1A8FEaAEa1900C4166dEeed0C11cC10669D36", WETH, 10**13,
        "0xB048Bbc1Ee6b733FFfCFb9e9CeF7375518e25997", ask_v3,
    ),
    "v4 ETH/USDC 500": Case(
        ETHEREUM, "uniswap_v4:0x21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27",
        ZERO_ADDRESS, 10**14, "0x52F0E24D1c21C8A0cB1e5a5dD6198556BD9E1203", ask_v4,
    ),
    "weighted BAL/WETH": Case(
        ETHEREUM, "balancer_weighted:0x5c6Ee304399DBdB9C8Ef030aB642B10820DB8F56", WETH, 10**12,
        BALANCER_QUERIES, ask_balancer,
    ),
    "stable wstETH/WETH": Case(
        ETHEREUM, "balancer_stable:0x32296969Ef14EB0c6d29669C550D4a0449130230", WETH, 10**12,
        BALANCER_QUERIES, ask_balancer,
    ),
    "vault sUSDe": Case(
        ETHEREUM, f"erc4626:{SUSDE}", "0x4c9EDD5852cd905f086C759E8383e09bff1E68B3", 10**15, SUSDE, ask_vault
    ),
    "Aerodrome WETH/USDC": Case(
        BASE, f"solidly:{AERODROME}", BASE_WETH, 10**13, AERODROME, ask_solidly
    ),
    "Slipstream WETH/USDC": Case(
        BASE, "slipstream:0xb2cc224c1c9feE385f8ad6a55b4d94E92359DC59", BASE_WETH, 10**13,
        "0x254cF9E1E6e233aa1AC962CB9B05b2cfeAaE15b0", ask_slipstream,
    ),
}  # fmt: skip


LOCAL: Final[dict[str, tuple[str, str, Callable[[PoolQuotes, int], Ask]]]] = {
    "uniswap_v2": ("uniswap_v2", "router", ask_v2),
    "uniswap_v3": ("uniswap_v3", "quoter", ask_v3),
    "uniswap_v4": ("uniswap_v4", "quoter", ask_v4),
    "balancer_weighted": ("balancer_v2", "queries", ask_balancer),
    "balancer_stable": ("balancer_v2", "queries", ask_balancer),
}
"""Who quotes each kind of the local chain's pools."""


@pytest.mark.fork
@pytest.mark.skipif("FORK_URL" not in os.environ, reason="FORK_URL names no node of a real chain")
@pytest.mark.parametrize("name", CASES)
async def test_quote_of_a_real_pool_equals_its_quoter_s(name: str) -> None:
    case = CASES[name]
    async with connected(os.environ["FORK_URL"]) as node:
        if node.chain_id != case.chain_id:
            pytest.skip(f"FORK_URL serves chain {node.chain_id}, the pool stands on {case.chain_id}")
        await require_equal(node, case)


@pytest.mark.parametrize("kind", LOCAL)
async def test_quote_of_a_local_pool_equals_its_quoter_s(local_chain: Sandbox, kind: str) -> None:
    protocol, role, ask = LOCAL[kind]
    key = next(key for key in local_chain.deployment.pools if key.startswith(kind))
    async with connected(local_chain.url) as node:
        sold, *_ = (
            (await read_named_pools(node, [parse_pool_name(key)], await node.get_block())).pools[0].tokens
        )
        quoter = local_chain.deployment.protocols[protocol][role]
        unit = 10**sold.decimals // 10**6
        await require_equal(node, Case(node.chain_id, key, sold.address, unit, quoter, ask))


async def require_equal(node: Node, case: Case) -> None:
    """Quote the case's amounts, and require what its quoter answers at the same block."""
    amounts = [case.unit * times for times in AMOUNTS]
    found = await quote_pool(node, parse_pool_name(case.pool), to_address(case.token_in), None, amounts)
    for quote in found.quotes:
        function, arguments = case.ask(found, quote.amount_in)
        reading = _ask(to_address(case.quoter), function, arguments)
        answer = await node.perform(reading, found.block)
        assert quote.amount_out == (answer[-1] if isinstance(answer, tuple) else answer)


def _ask(quoter: Address, function: Function, arguments: tuple[Any, ...]) -> Reading[Any]:
    """Read the first value that a quoter answers; None where it reverts, as our quote then has none."""
    (answer,) = (yield (Call(quoter, function.encode(*arguments)),)).answers
    return decode_answer(function, quoter, answer)[0] if answer.success else None
