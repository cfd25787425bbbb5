"""Pools by name from the command line: exact integers, whatever the chain; and as a file."""

from __future__ import annotations

import json
import random

import pytest
from cli_runner import Cli
from real_quotes import RealPools

from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import ZERO_ADDRESS, Exact, parse_amount, to_address
from onchain_exec.venues.pool_file import pool_set_from_json

NOBODY = to_address("0x" + "ab" * 20)


@pytest.fixture
def reader(local_chain: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The command line on the shared chain: it only reads."""
    return Cli(local_chain.url, tmp_path_factory.mktemp("cli") / "journal.sqlite")


@pytest.fixture
def real(local_chain: Sandbox) -> RealPools:
    return RealPools(ChainEvm(local_chain.chain), local_chain.deployment)


@pytest.mark.parametrize(
    "kind", ["uniswap_v2", "uniswap_v3", "uniswap_v4", "balancer_weighted", "balancer_stable"]
)
def test_quote_of_a_pool_equals_the_protocol_s_own_in_the_order_asked(
    reader: Cli, real: RealPools, kind: str
) -> None:
    rng = random.Random(kind)
    for key in real.deployment.pools:
        if not key.startswith(kind):
            continue
        sold, bought = rng.sample(real.get_tokens(key), 2)
        amounts = [parse_amount("0.1", sold) + rng.randrange(10**6) for _ in range(4)]
        found = _quote(reader, real, key, (sold.address, bought.address), amounts)
        assert [int(quote["amount_in"]) for quote in found["quotes"]] == amounts
        assert [int(quote["amount_out"]) for quote in found["quotes"]] == [
            real.quote(key, sold, bought, amount) for amount in amounts
        ]
        break


def _quote(reader: Cli, real: RealPools, key: str, pair: tuple[str, str], amounts: list[int]) -> dict:
    """Ask for exact quotes; a v4 pool of ether is told so by the zero address."""
    traded = pair
    if key.startswith("uniswap_v4"):
        currencies = [to_address(currency) for currency in real.get_v4_key(key.split(":")[1])[:2]]
        traded = tuple(token if token in currencies else ZERO_ADDRESS for token in pair)
    asked = [option for amount in amounts for option in ("--amount-in", str(amount))]
    return reader.json("quote", "--pool", key, "--token-in", traded[0], "--token-out", traded[1], *asked)


def test_quote_of_a_pool_that_would_revert_says_so_and_tells_the_others(
    reader: Cli, local_chain: Sandbox
) -> None:
    key = next(key for key in local_chain.deployment.pools if key.startswith("uniswap_v3"))
    weth = local_chain.deployment.tokens["WETH"].address
    asked = ("--amount-in", "0", "--amount-in", str(10**18))
    quotes = reader.json("quote", "--pool", key, "--token-in", weth, *asked, expect=4)["quotes"]
    assert quotes[0]["amount_in"] == "0"
    assert quotes[0]["error"]["reason"] == "AS"
    assert int(quotes[1]["amount_out"]) > 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--pool", "uniswap_v9:" + NOBODY, "--token-in", NOBODY, "--amount-in", "1"), "InputError"),
        (("--pool", "uniswap_v3:0x12", "--token-in", NOBODY, "--amount-in", "1"), "AddressError"),
        (("--pool", "uniswap_v3:" + NOBODY, "--token-in", NOBODY, "--amount-in", "1"), "InputError"),
        (("--pool", "uniswap_v4:" + NOBODY, "--token-in", NOBODY, "--amount-in", "1"), "InputError"),
        (("--pool", "uniswap_v2:" + NOBODY, "--token-in", NOBODY, "--amount-in", "1.5"), "AmountError"),
        (("--pool", "uniswap_v2:" + NOBODY, "--token-in", NOBODY, "--amount-in", "9" * 80), "AmountError"),
        (("--pool", "uniswap_v2:" + NOBODY, "--token-in", NOBODY), "InputError"),
        (("--pool", "uniswap_v2:" + NOBODY, "--amount-in", "1"), "InputError"),
        (("--amount", "1"), "InputError"),
    ],
)
def test_quote_of_what_is_no_pool_is_told(reader: Cli, arguments: tuple[str, ...], code: str) -> None:
    assert reader.json("quote", *arguments, expect=2)["error"]["code"] == code


def test_quote_of_a_v4_pool_that_is_nowhere_fails(reader: Cli) -> None:
    arguments = ("--pool", "uniswap_v4:0x" + "ab" * 32, "--token-in", NOBODY, "--amount-in", "1")
    assert reader.json("quote", *arguments, expect=4)["error"]["code"] == "NoPoolError"


def test_quote_of_a_pool_of_three_tokens_needs_the_one_to_get(reader: Cli, real: RealPools) -> None:
    key = next(key for key in real.deployment.pools if len(real.get_tokens(key)) > 2)
    arguments = ("--pool", key, "--token-in", real.get_tokens(key)[0].address, "--amount-in", "1")
    assert "--token-out" in reader.json("quote", *arguments, expect=2)["error"]["needed"]


def test_dump_is_one_block_s_pools_and_reads_back(reader: Cli, real: RealPools) -> None:
    weth = real.deployment.tokens["WETH"].address
    names = [*real.deployment.pools, f"wrapped_native:{weth}"]
    done = reader.run("pools", "dump", *names)
    assert done.returncode == 0, done.stderr
    pools = pool_set_from_json(json.loads(done.stdout))
    assert [pool.key for pool in pools.pools] == names
    for pool in pools.pools[:15]:
        sold, bought = pool.tokens[:2]
        amount = parse_amount("0.2", sold)
        assert pool.quote(sold, bought, amount, Exact.IN) == real.quote(pool.key, sold, bought, amount)
