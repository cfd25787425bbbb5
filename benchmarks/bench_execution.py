"""CPU from an approved order to signed bytes. Peer: web3.py builds, eth-account signs, the same bytes."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from statistics import median

from eth_account import Account
from web3 import Web3

from benchmarks.row import Row, lower_is_better
from onchain_exec.core import BlockRef, Exact, Order, Token, to_address
from onchain_exec.execution import AllowanceStep, Fees, LocalSigner, SimulatedTx, TxPlan, build_plan, sign
from onchain_exec.risk import AccountState, Approved, Limits, check
from onchain_exec.routing import GasModel, find_route, make_quote
from onchain_exec.venues import PoolSet
from onchain_exec.venues.swap_router import SwapRouter
from onchain_exec.venues.uniswap_v2 import UniswapV2Deployment, UniswapV2Pool
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")  # anvil's first
NOW = 1_800_000_000
GAS_LIMIT = 200_000
BLOCK = BlockRef(1, 24_000_000, "0x" + "24" * 32, NOW, 10**9, 60_000_000)
WETH = Token(1, to_address("0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"), "WETH", 18)
USDC = Token(1, to_address("0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDC", 6)
ROUTER = SwapRouter(
    to_address("0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45"),
    UniswapV2Deployment(to_address("0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f")),
    UniswapV3Deployment(to_address("0x1F98431c8aD98523631AE4a59f267346ea31F984")),
)
FEES = Fees(3 * 10**9, 10**9)
ABI = [
    {
        "name": "multicall",
        "type": "function",
        "stateMutability": "payable",
        "inputs": [{"name": "deadline", "type": "uint256"}, {"name": "data", "type": "bytes[]"}],
        "outputs": [{"name": "", "type": "bytes[]"}],
    },
    {
        "name": "swapExactTokensForTokens",
        "type": "function",
        "stateMutability": "payable",
        "inputs": [
            {"name": "amountIn", "type": "uint256"},
            {"name": "amountOutMin", "type": "uint256"},
            {"name": "path", "type": "address[]"},
            {"name": "to", "type": "address"},
        ],
        "outputs": [{"name": "amountOut", "type": "uint256"}],
    },
]
ROUNDS, PER_ROUND = 7, 100


def run() -> list[Row]:
    """Return the row, after both sides gave the same bytes."""
    approved, signer = _approve(), LocalSigner(KEY)
    make_peers = _get_peer(approved)

    async def make_ours(nonce: int) -> bytes:
        plan = build_plan(approved, FEES, AllowanceStep.NONE, ROUTER)
        return (await sign(_as_simulated(plan), nonce, signer)).raw

    async def make_theirs(nonce: int) -> bytes:
        return make_peers(nonce)

    if asyncio.run(make_ours(7)) != make_peers(7):
        raise AssertionError("the two sides sign other bytes")
    ours, peers = asyncio.run(_get_cpu_ms(make_ours)), asyncio.run(_get_cpu_ms(make_theirs))
    return [lower_is_better("cpu per transaction", ours, "ms", "web3.py and eth-account", peers)]


def _approve() -> Approved:
    owner = LocalSigner(KEY).address
    address = ROUTER.v2.get_pair_address(WETH.address, USDC.address)
    pool = UniswapV2Pool(address, USDC, WETH, 40_000_000 * 10**6, 10_000 * 10**18)
    order = Order("order", "client", owner, owner, WETH, USDC, 10**18, Exact.IN, 30, NOW + 120)
    quote = make_quote(order, find_route(order, PoolSet(BLOCK, (pool,))), GasModel(), NOW)
    account = AccountState(BLOCK, owner, 10**20, 10**20, ROUTER.address, 10**18)
    verdict = check(quote, account, Limits(), NOW)
    assert isinstance(verdict, Approved)
    return verdict


def _as_simulated(plan: TxPlan) -> SimulatedTx:
    """Stand in for the node's part, which costs no CPU of ours worth naming."""
    return SimulatedTx(
        plan=plan,
        block=BLOCK,
        gas_used=0,
        gas_limit=GAS_LIMIT,
        amount_in=0,
        amount_out=0,
        allowance_left=0,
        logs=(),
    )


def _get_peer(approved: Approved) -> Callable[[int], bytes]:
    quote, order = approved.quote, approved.quote.order
    contract = Web3().eth.contract(address=Web3.to_checksum_address(ROUTER.address), abi=ABI)
    account = Account.from_key(KEY)
    path = [WETH.address, USDC.address]

    def make(nonce: int) -> bytes:
        swap = contract.encode_abi(
            "swapExactTokensForTokens", [order.amount, quote.amount_out_min, path, order.recipient]
        )
        transaction = contract.functions.multicall(order.expires_at, [swap]).build_transaction(
            {
                "chainId": BLOCK.chain_id,
                "nonce": nonce,
                "gas": GAS_LIMIT,
                "maxFeePerGas": FEES.max_fee_wei,
                "maxPriorityFeePerGas": FEES.max_priority_fee_wei,
                "value": 0,
            }
        )
        return bytes(account.sign_transaction(transaction).raw_transaction)

    return make


async def _get_cpu_ms(make: Callable[[int], Awaitable[bytes]]) -> float:
    """Return the median over rounds of the CPU time of one transaction."""
    rounds = []
    gc.disable()
    for _ in range(ROUNDS):
        start = time.process_time()
        for nonce in range(PER_ROUND):
            await make(nonce)
        rounds.append((time.process_time() - start) * 1_000 / PER_ROUND)
    gc.enable()
    return median(rounds)
