"""The bound that a desk gives an order without a slippage, and ``onchain-exec exposure``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cli_runner import Cli

from onchain_exec import Desk, LocalSigner, Policy
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.chain import Node
from onchain_exec.core import Address
from onchain_exec.core.abi import Function
from onchain_exec.routing import BoundReason
from onchain_exec.testing.actors import Actor
from onchain_exec.venues.prices import read_mean_ticks
from onchain_exec.venues.uniswap_v3 import UniswapV3Deployment, read_v3_pool

GROW = Function("increaseObservationCardinalityNext(uint16)")
SLOT0 = Function("slot0()", "(uint160,int24,uint16,uint16,uint16,uint8,bool)")
POOLS = Path(__file__).parents[1] / "golden" / "routing_mainnet_19_pools.json"
MINUTE = 60


def trade_each_minute(fork: Sandbox, whale: Actor, pool: Address) -> list[tuple[int, int]]:
    """Move the pool's price to and fro, then wait; return when (unix seconds) it came to which tick."""
    evm, moves = ChainEvm(fork.chain), []
    evm.call(DEPLOYER, pool, GROW.encode(100))
    for number in range(8):
        fork.chain.increase_time(MINUTE)
        if number % 2:
            whale.sell("USDC", str(60_000 * number), buy="WETH")
        else:
            whale.sell("WETH", str(30 * (number + 1)), buy="USDC")
        moves.append((get_time(fork), SLOT0.decode(evm.static_call(pool, SLOT0.encode()))[1]))
    fork.chain.increase_time(MINUTE // 2)
    fork.chain.mine()
    return moves


def get_time(fork: Sandbox) -> int:
    return int(fork.chain.request("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def get_mean(moves: list[tuple[int, int]], begin: int, end: int) -> float:
    """Return the mean tick between two times, each tick counted from its move to the next."""
    ends = [at for at, _ in moves[1:]] + [end]
    held = [
        (max(0, min(until, end) - max(at, begin)), tick)
        for (at, tick), until in zip(moves, ends, strict=True)
    ]
    return sum(seconds * tick for seconds, tick in held) / (end - begin)


@pytest.fixture
def pool(fork: Sandbox) -> Address:
    """The WETH/USDC pool of 5 bps."""
    factory = fork.deployment.protocols["uniswap_v3"]["factory"]
    pair = (fork.deployment.tokens[symbol].address for symbol in ("WETH", "USDC"))
    return UniswapV3Deployment(factory).get_pool_address(*pair, 500)


async def test_read_volatility_is_that_of_the_prices_that_the_pool_had(
    fork: Sandbox, whale: Actor, pool: Address
) -> None:
    moves = trade_each_minute(fork, whale, pool)
    node = await Node.connect(fork.url)
    block = await node.get_block()
    model = await node.perform(read_v3_pool(pool), block)
    told = await node.perform(read_mean_ticks(model, MINUTE, (3, 5)), block)
    windows = [
        (block.timestamp - MINUTE * back, block.timestamp - MINUTE * (back - 1)) for back in range(5, 0, -1)
    ]
    assert told == pytest.approx([get_mean(moves, *window) for window in windows])
    assert await node.perform(read_mean_ticks(model, 10**9, (1,)), block) == ()
    await node.close()


def test_quote_without_a_slippage_is_bound_by_the_market_and_says_why(
    fork: Sandbox, desk: Desk, whale: Actor, pool: Address
) -> None:
    trade_each_minute(fork, whale, pool)
    open_quote = desk.quote(sell="WETH", amount="60", buy="USDC")
    assert open_quote.tolerance is not None
    assert open_quote.tolerance.reason is BoundReason.SANDWICH  # gas costs nothing on this chain
    assert open_quote.tolerance.deviation_per_block > 0
    assert 0 < open_quote.tolerance.revert_chance <= 0.5
    assert open_quote.slippage_bps < 50
    given = desk.quote(sell="WETH", amount="60", buy="USDC", max_slippage_bps=30)
    assert given.tolerance is not None
    assert given.tolerance.reason is BoundReason.GIVEN
    assert float(given.slippage_bps) == pytest.approx(30, rel=1e-6)


def test_quote_that_is_sent_privately_allows_what_the_price_moves(
    fork: Sandbox, whale: Actor, pool: Address, tmp_path: Path
) -> None:
    trade_each_minute(fork, whale, pool)
    with Desk.connect(
        f"read+{fork.url} private+{fork.url}",
        signer=LocalSigner(fork.trader.key),
        journal=tmp_path / "journal.sqlite",
        profile=fork.profile,
        policy=Policy(private_only=True, max_slippage_bps=5_000),
    ) as desk:
        quote = desk.quote(sell="WETH", amount="60", buy="USDC")
    assert quote.tolerance is not None
    assert quote.tolerance.reason is BoundReason.VOLATILITY
    assert quote.tolerance.revert_chance == pytest.approx(0.01, abs=1e-6)


def test_sell_where_a_sequencer_shows_nothing_allows_what_the_price_moves_and_fears_no_attack(
    fork: Sandbox, whale: Actor, pool: Address, tmp_path: Path
) -> None:
    trade_each_minute(fork, whale, pool)
    with Desk.connect(
        fork.url,
        signer=LocalSigner(fork.trader.key),
        journal=tmp_path / "journal.sqlite",
        profile=replace(fork.profile, public_pool=False),
        policy=Policy(max_slippage_bps=5_000),
    ) as desk:
        quote = desk.quote(sell="WETH", amount="60", buy="USDC")
        sold = desk.sell("WETH", "60", buy="USDC", max_slippage_bps=50)
    assert quote.tolerance is not None
    assert quote.tolerance.reason is BoundReason.VOLATILITY
    assert quote.slippage_bps > 0
    assert sold.decision is not None
    assert sold.decision.stakes.at_stake == 0


def test_exposure_command_tells_what_a_sandwich_could_take(cli: Cli) -> None:
    wide = cli.json(
        "exposure", "--sell", "WETH", "--buy", "USDC", "--amount", "25", "--max-slippage-bps", "50"
    )
    assert wide["sandwich"]["pays"] is True
    assert 0 < int(wide["sandwich"]["victim_loss"]) <= int(wide["amount_out"]) - int(wide["bound"])
    assert int(wide["bound"]) < int(wide["safe_bound"]) <= int(wide["amount_out"])
    safe = cli.json("exposure", "--sell", "WETH", "--buy", "USDC", "--amount", "25")
    assert safe["sandwich"] == safe["sandwich"] | {"pays": False, "net": "0", "front_runs": []}


def test_exposure_command_over_a_file_tells_delay_and_arbitrage_too(cli: Cli) -> None:
    trade = ("--sell", "USDC", "--buy", "WETH", "--amount", "5000000", "--pools-file", str(POOLS))
    gas = ("--gas-price-wei", "20000000000", "--gas-token-price", "1")
    document = cli.json("exposure", *trade, *gas, "--deviation-bps", "4")
    assert document["sandwich"]["pays"] is True
    assert int(document["sandwich"]["gas_cost"]) > 0
    assert int(document["back_run"]) >= 0
    chances = [late["passing_chance"] for late in document["lateness"]]
    assert chances == sorted(chances)
    told = cli.run("exposure", *trade, "--deviation-bps", "4").stdout
    assert "The best sandwich" in told
    assert "Being late" in told


def test_exposure_command_with_gas_but_no_file_is_refused(cli: Cli) -> None:
    found = cli.run("exposure", "--sell", "WETH", "--buy", "USDC", "--amount", "1", "--gas-price-wei", "5")
    assert found.returncode == 2
    assert "--pools-file" in found.stderr


def test_quote_command_says_why_the_bound_lies_where_it_lies(cli: Cli) -> None:
    document = cli.json("quote", "--sell", "WETH", "--buy", "USDC", "--amount", "25")
    assert document["tolerance"]["reason"] == "sandwich"
    assert int(document["tolerance"]["at_stake"]) > 0
    told = cli.run("quote", "--sell", "WETH", "--buy", "USDC", "--amount", "25", "--max-slippage-bps", "50")
    assert "as given" in told.stdout
    assert "to a sandwich" in told.stdout
