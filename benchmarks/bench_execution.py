"""From an approved order to durable signed bytes and to the node's acknowledgement, and the CPU of it. The
node is reached through its own socket (IPC), as by a bot beside it, and over HTTP.

Peer: web3.py builds, eth-account signs the same bytes, one bare insert makes them durable, web3.py
sends them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from eth_account import Account
from web3 import Web3
from web3.providers import BaseProvider

from benchmarks.row import Row, lower_is_better
from onchain_exec.chain import LocalChain, Node
from onchain_exec.core import BlockRef, Exact, Order, Token, to_address
from onchain_exec.execution import (
    Accepted,
    Draft,
    Fees,
    Grant,
    LocalSigner,
    Purpose,
    SimulatedTx,
    TxPlan,
    build_plan,
    send,
    sign,
)
from onchain_exec.oms import Journal
from onchain_exec.pricing import PriceSource, SourceKind, consolidate
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
STANDING = Grant("the router may pull enough already")
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
ORDERS = 1_000
WARM_UP = 400  # until a journal's log, and the peer's, is written over and no longer made longer


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds from each decision to where its bytes were durable, and to the node's answer."""

    durable: list[float]
    acknowledged: list[float]


def run() -> list[Row]:
    """Return the rows, after both sides gave the same bytes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        socket = str(folder / "node.ipc")
        with LocalChain.start(chain_id=1, extra=("--ipc", socket)) as chain:
            chain.request("evm_setAutomine", False)
            by_http, peers_by_http = _time_both(chain, chain.url, Web3.HTTPProvider(chain.url), folder)
            by_ipc, peers_by_ipc = _time_both(chain, f"ipc://{socket}", Web3.IPCProvider(socket), folder)
        flushes = _time_flushes(folder / "bare")
    rows, peer = [_measure_cpu()], "web3.py and a bare insert"
    for what, times, theirs in (
        ("decision to durable", by_ipc.durable, peers_by_ipc.durable),
        ("decision to ack", by_ipc.acknowledged, peers_by_ipc.acknowledged),
        ("decision to ack over http", by_http.acknowledged, peers_by_http.acknowledged),
    ):
        for share in (50, 99):
            value, peer_value = _get_share(times, share), _get_share(theirs, share)
            rows.append(lower_is_better(f"{what} p{share}", value, "ms", peer, peer_value))
    rows.append(_measure_check())
    return [*rows, *(Row(f"bare flush p{share}", _get_share(flushes, share), "ms") for share in (50, 99))]


def _time_both(chain: LocalChain, url: str, provider: BaseProvider, folder: Path) -> tuple[Times, Times]:
    """Return our times and the peer's over one way to the node, each from an empty pool and journal."""
    with tempfile.TemporaryDirectory(dir=folder) as journals:
        chain.request("anvil_dropAllTransactions")
        ours = asyncio.run(_time_path(url, Path(journals, "journal.sqlite")))
        chain.request("anvil_dropAllTransactions")
        return ours, _time_peer(Web3(provider), Path(journals, "bare.sqlite"))


async def _time_path(url: str, path: Path) -> Times:
    """Take orders from approved to acknowledged: build, lease a nonce, sign, journal, send."""
    signer, times = LocalSigner(KEY), Times([], [])
    node = await Node.connect(url, chain_id=1)
    with Journal.open(path) as journal:
        for number in range(WARM_UP + ORDERS):
            approved = _approve(number)
            order_id = approved.quote.order.order_id
            journal.append_order(approved.quote.order, approved.quote)
            started = time.perf_counter()
            plan = build_plan(Draft(approved, ROUTER, FEES, STANDING))
            nonce = journal.reserve_nonce(1, signer.address, order_id, Purpose.SWAP, 0)
            durable = journal.write_signed(order_id, await sign(_as_simulated(plan), nonce, signer))
            written = time.perf_counter()
            outcome = await send(node, durable)
            acknowledged = time.perf_counter()
            assert isinstance(outcome, Accepted), outcome
            times.durable.append((written - started) * 1_000)
            times.acknowledged.append((acknowledged - started) * 1_000)
    await node.close()
    return Times(times.durable[WARM_UP:], times.acknowledged[WARM_UP:])


def _time_peer(web3: Web3, path: Path) -> Times:
    """The same as a plain bot does it, if it makes its bytes durable at all."""
    times, make = Times([], []), _get_peer(_approve())
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("create table sent (nonce integer primary key, raw blob)")
        for nonce in range(WARM_UP + ORDERS):
            started = time.perf_counter()
            raw = make(nonce)
            connection.execute("insert into sent values (?, ?)", (nonce, raw))
            written = time.perf_counter()
            web3.eth.send_raw_transaction(raw)
            acknowledged = time.perf_counter()
            times.durable.append((written - started) * 1_000)
            times.acknowledged.append((acknowledged - started) * 1_000)
    return Times(times.durable[WARM_UP:], times.acknowledged[WARM_UP:])


def _time_flushes(path: Path) -> list[float]:
    """Milliseconds that the disk alone takes for a line: what durable cannot be faster than."""
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(ORDERS):
            started = time.perf_counter()
            file.write(bytes(4_096))
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - started) * 1_000)
    return times


def _get_share(times: list[float], share: int) -> float:
    return quantiles(times, n=100)[share - 1]


def _measure_cpu() -> Row:
    approved, signer = _approve(), LocalSigner(KEY)
    make_peers = _get_peer(approved)

    async def make_ours(nonce: int) -> bytes:
        plan = build_plan(Draft(approved, ROUTER, FEES, STANDING))
        return (await sign(_as_simulated(plan), nonce, signer)).raw

    async def make_theirs(nonce: int) -> bytes:
        return make_peers(nonce)

    if asyncio.run(make_ours(7)) != make_peers(7):
        raise AssertionError("the two sides sign other bytes")
    ours, peers = asyncio.run(_get_cpu_ms(make_ours)), asyncio.run(_get_cpu_ms(make_theirs))
    return lower_is_better("cpu per transaction", ours, "ms", "web3.py and eth-account", peers)


def _measure_check() -> Row:
    """Return the CPU time of one check against a reference price and every limit."""
    approved = _approve()
    tokens = {WETH.address: 10**20, USDC.address: 10**12}
    limits = Limits(max_notional=tokens, allowed_tokens=frozenset(tokens), min_price_kinds=2)
    price = approved.quote.mid_price
    reference = consolidate(PriceSource(kind, kind.value, price) for kind in SourceKind)
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(10 * PER_ROUND):
            verdict = check(approved.quote, approved.account, limits, NOW, reference)
        rounds.append((time.process_time() - start) * 1e6 / (10 * PER_ROUND))
        assert isinstance(verdict, Approved)
    return Row("pre-trade check", min(rounds), "us")


def _approve(number: int = 0) -> Approved:
    owner = LocalSigner(KEY).address
    address = ROUTER.v2.get_pair_address(WETH.address, USDC.address)
    pool = UniswapV2Pool(address, USDC, WETH, 40_000_000 * 10**6, 10_000 * 10**18)
    order = Order(
        f"order-{number}", f"client-{number}", owner, owner, WETH, USDC, 10**18, Exact.IN, 30, NOW + 120
    )
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
