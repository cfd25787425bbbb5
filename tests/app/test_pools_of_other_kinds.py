"""Pools that the sandbox does not seed, by name from the command line: exact, in the order asked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from cli_runner import Cli
from eth_abi import encode
from real_quotes import RealPools
from solidity import compile_source, compile_stand_in

from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import approve, fund
from onchain_exec.app.sandbox.evm import DEPLOYER, create_through
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import ZERO_ADDRESS, Address, to_address
from onchain_exec.core.abi import Function
from onchain_exec.venues.pool_file import pool_set_from_json

CREATE = Function("create(address,address,bool,uint256)", "(address)")
SYNC, SET_FEE = Function("sync()"), Function("setFee(uint24)")
GET_AMOUNT_OUT = Function("getAmountOut(uint256,address)", "(uint256)")
DEPOSIT = Function("deposit(uint256,address)", "(uint256)")
PREVIEW = {
    True: Function("previewDeposit(uint256)", "(uint256)"),
    False: Function("previewRedeem(uint256)", "(uint256)"),
}


@dataclass(frozen=True)
class Named:
    """A pool's key, two of its tokens by address, an amount of the first that gives something of the
    other, and what the chain itself gives for amounts."""

    key: str
    token_in: Address
    token_out: Address
    amount: int
    quote: Callable[[int], int]


@pytest.fixture
def evm(fork: Sandbox) -> ChainEvm:
    return ChainEvm(fork.chain)


def make_solidly(fork: Sandbox, evm: ChainEvm, stable: bool) -> Named:
    tokens = fork.deployment.tokens
    pair = sorted((tokens["USDC"], tokens["DAI"]), key=lambda token: token.address.lower())
    factory = evm.deploy(compile_stand_in("SolidlyFactoryStandIn"))
    data = CREATE.encode(*(token.address for token in pair), stable, 5)
    pool = create_through(evm, factory, data)
    for token in pair:
        fund(evm, token, pool, 10**6 * 10**token.decimals)
    evm.call(DEPLOYER, pool, SYNC.encode())
    sold, bought = tokens["USDC"].address, tokens["DAI"].address

    def quote(amount: int) -> int:
        answer = evm.static_call(pool, GET_AMOUNT_OUT.encode(amount, sold))
        return int(GET_AMOUNT_OUT.decode(answer)[0])

    return Named(f"solidly:{pool}", sold, bought, 10**9, quote)


def make_vault(fork: Sandbox, evm: ChainEvm, deposits: bool) -> Named:
    asset = fork.deployment.tokens["USDC"]
    arguments = encode(["address", "uint8", "uint256"], [asset.address, 6, 0])
    vault = evm.deploy(compile_source("tests/venues/vaults/Vault.sol") + arguments)
    fund(evm, asset, DEPLOYER, 10**12)
    approve(evm, asset, DEPLOYER, vault)
    evm.call(DEPLOYER, vault, DEPOSIT.encode(10**11, DEPLOYER))
    fund(evm, asset, vault, 12_345_678_901)  # yield

    def quote(amount: int) -> int:
        preview = PREVIEW[deposits]
        return int(preview.decode(evm.static_call(vault, preview.encode(amount)))[0])

    sides = (asset.address, vault) if deposits else (vault, asset.address)
    return Named(f"erc4626:{vault}", *sides, 10**9 if deposits else 10**15, quote)


def find_v3(fork: Sandbox, evm: ChainEvm) -> Named:
    """Return one of the sandbox's own pools and the answers of the real QuoterV2."""
    real = RealPools(evm, fork.deployment)
    key = next(key for key in fork.deployment.pools if key.startswith("uniswap_v3"))
    token_in, token_out = real.get_tokens(key)
    amount = 10**token_in.decimals // 10
    return Named(
        key, token_in.address, token_out.address, amount, lambda n: real.quote(key, token_in, token_out, n)
    )


def make_pancake(fork: Sandbox, evm: ChainEvm) -> Named:
    found = find_v3(fork, evm)
    return replace(found, key=found.key.replace("uniswap", "pancake"))


def make_slipstream(fork: Sandbox, evm: ChainEvm) -> Named:
    found = find_v3(fork, evm)
    code = compile_stand_in("SlipstreamStandIn") + encode(["address"], [found.key.split(":")[1]])
    return replace(found, key=f"slipstream:{evm.deploy(code)}")


def make_wrapped(fork: Sandbox, evm: ChainEvm) -> Named:
    weth = fork.deployment.tokens["WETH"].address
    return Named(f"wrapped_native:{weth}", weth, ZERO_ADDRESS, 10**18, lambda amount: amount)


MAKERS = {
    "solidly volatile": lambda *on: make_solidly(*on, stable=False),
    "solidly stable": lambda *on: make_solidly(*on, stable=True),
    "vault deposits": lambda *on: make_vault(*on, deposits=True),
    "vault redemptions": lambda *on: make_vault(*on, deposits=False),
    "pancake": make_pancake,
    "slipstream": make_slipstream,
    "wrapped": make_wrapped,
}


@pytest.mark.parametrize("name", MAKERS)
def test_quote_of_a_pool_equals_the_contract_s_own_in_the_order_asked(
    cli: Cli, fork: Sandbox, evm: ChainEvm, name: str
) -> None:
    pool = MAKERS[name](fork, evm)
    rng = random.Random(name)
    amounts = [pool.amount + rng.randrange(pool.amount) for _ in range(4)]
    asked = [option for amount in amounts for option in ("--amount-in", str(amount))]
    found = cli.json("quote", "--pool", pool.key, "--token-in", pool.token_in, *asked)
    assert (found["pool"], found["token_in"], found["token_out"]) == (
        pool.key, pool.token_in, pool.token_out,
    )  # fmt: skip
    assert [(int(quote["amount_in"]), int(quote["amount_out"])) for quote in found["quotes"]] == [
        (amount, pool.quote(amount)) for amount in amounts
    ]


def test_dump_of_every_other_kind_reads_back(cli: Cli, fork: Sandbox, evm: ChainEvm) -> None:
    made = [
        make_solidly(fork, evm, True), make_vault(fork, evm, True), make_pancake(fork, evm),
        make_slipstream(fork, evm), make_wrapped(fork, evm),
    ]  # fmt: skip
    done = cli.run("pools", "dump", *(pool.key for pool in made))
    assert done.returncode == 0, done.stderr
    pools = pool_set_from_json(json.loads(done.stdout))
    assert [pool.key for pool in pools.pools] == [pool.key for pool in made]


def test_dump_of_a_slipstream_pool_has_the_fee_of_the_block(cli: Cli, fork: Sandbox, evm: ChainEvm) -> None:
    pool = make_slipstream(fork, evm)
    evm.call(DEPLOYER, to_address(pool.key.split(":")[1]), SET_FEE.encode(1_234))
    done = cli.run("pools", "dump", pool.key)
    assert json.loads(done.stdout)["pools"][0]["fee_pips"] == "1234"
