import json
import os
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from real_quotes import RealPools

from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.sandbox import Deployment, Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.app.sandbox.seed.prices import get_amount
from onchain_exec.chain import LocalChain
from onchain_exec.core import ZERO_ADDRESS, to_address
from onchain_exec.core.artifact import get_artifact
from onchain_exec.errors import NodeUnreachableError
from onchain_exec.testing.evm import LocalEvm

STRANGER = to_address("0x" + "77" * 20)


def look(sandbox: Sandbox) -> dict[str, Any]:
    """Return what a trader sees: balances, quotes of every pool, code, blocks."""
    evm = ChainEvm(sandbox.chain)
    pools = RealPools(evm, sandbox.deployment)
    trader = sandbox.trader.address
    seen: dict[str, Any] = {
        "head": int(sandbox.chain.request("eth_blockNumber"), 16),
        "deployed": sandbox.chain.request(
            "eth_getBlockByNumber", hex(sandbox.deployment.block_number), False
        )["hash"],
        "ether": sandbox.chain.request("eth_getBalance", trader, "latest"),
        "nonce": sandbox.chain.request("eth_getTransactionCount", trader, "latest"),
    }
    for token in sandbox.deployment.tokens.values():
        seen[token.symbol] = get_balance(evm, token, trader)
    for key in sandbox.deployment.pools:
        token_in, token_out = pools.get_tokens(key)[:2]
        seen[key] = pools.quote(key, token_in, token_out, get_amount(token_in, 20_000))
    for contracts in sandbox.deployment.protocols.values():
        for address in contracts.values():
            seen[address] = sandbox.chain.request("eth_getCode", address, "latest")
    return seen


class Elsewhere(NamedTuple):
    """What stands on a chain that was deployed anew, and the cache that it was put in."""

    root: Path
    seen: dict[str, Any]
    deployment: Deployment


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    root = tmp_path_factory.mktemp("cache")
    with Sandbox.start(cache_root=root) as deployed:
        return Elsewhere(root, look(deployed), deployed.deployment)


def test_start_again_loads_the_same_chain(elsewhere: Elsewhere) -> None:
    with Sandbox.start(cache_root=elsewhere.root) as loaded:
        assert look(loaded) == elsewhere.seen
        assert loaded.deployment == elsewhere.deployment
    assert all(code != "0x" for address, code in elsewhere.seen.items() if address.startswith("0x"))


def test_start_gives_the_same_addresses_on_every_machine(local_chain: Sandbox, elsewhere: Elsewhere) -> None:
    assert elsewhere.deployment == local_chain.deployment


def test_start_quotes_as_the_in_process_chain_does(
    local_chain: Sandbox, deployed: tuple[LocalEvm, Deployment]
) -> None:
    on_chain = RealPools(ChainEvm(local_chain.chain), local_chain.deployment)
    in_process = RealPools(*deployed)
    usdc = local_chain.deployment.tokens["USDC"]
    weth = local_chain.deployment.tokens["WETH"]
    on_chain_keys = [key for key in on_chain.deployment.pools if key.startswith("uniswap_v3")]
    in_process_keys = [key for key in in_process.deployment.pools if key.startswith("uniswap_v3")]
    for one, other in list(zip(on_chain_keys, in_process_keys, strict=True))[:3]:
        quoted = on_chain.quote(one, weth, usdc, 25 * 10**18)
        assert quoted == in_process.quote(other, weth, usdc, 25 * 10**18)


def test_start_head_is_of_now(local_chain: Sandbox) -> None:
    with Sandbox.start() as sandbox:
        head = sandbox.chain.request("eth_getBlockByNumber", "latest", False)
    assert abs(int(head["timestamp"], 16) - time.time()) < 60


def test_trader_has_ether_and_three_million_dollars_of_each_token(local_chain: Sandbox) -> None:
    evm = ChainEvm(local_chain.chain)
    for token in local_chain.deployment.tokens.values():
        held = get_balance(evm, token, local_chain.trader.address)
        assert held == get_amount(token, 3_000_000)
    assert (
        int(local_chain.chain.request("eth_getBalance", local_chain.trader.address, "latest"), 16) == 10**22
    )
    assert local_chain.trader.address == local_chain.deployment.trader


def test_to_json_has_what_a_program_needs_and_nothing_else(local_chain: Sandbox) -> None:
    document = json.loads(json.dumps(local_chain.to_json()))
    assert list(document) == ["rpc_url", "chain_id", "trader", "tokens", "protocols"]
    assert document["chain_id"] == 1337
    assert set(document["tokens"]) == {"WETH", "USDC", "DAI", "WBTC"}
    assert document["protocols"]["uniswap_v3"]["quoter"] == to_address(
        document["protocols"]["uniswap_v3"]["quoter"]
    )


def test_profile_describes_the_chain_to_a_desk(local_chain: Sandbox) -> None:
    profile = local_chain.profile
    assert profile.chain_id == local_chain.chain.chain_id == 1337
    assert profile.wrapped_native == profile.get_token("weth")
    factory = profile.get_contract("uniswap_v3", "factory")
    assert factory == local_chain.deployment.protocols["uniswap_v3"]["factory"]


def test_writes_on_a_fork_stay_in_it(local_chain: Sandbox) -> None:
    usdc = local_chain.deployment.tokens["USDC"]
    for _ in range(2):
        with local_chain.fork() as fork:
            fork.fund(STRANGER, usdc, 5)
            assert get_balance(ChainEvm(fork.chain), usdc, STRANGER) == 5
            assert fork.trader == local_chain.trader
    assert get_balance(ChainEvm(local_chain.chain), usdc, STRANGER) == 0


def test_fund_wrapped_ether_can_be_unwrapped(fork: Sandbox) -> None:
    weth = fork.deployment.tokens["WETH"]
    held = int(fork.chain.request("eth_getBalance", weth.address, "latest"), 16)
    fork.fund(STRANGER, weth, 7)
    assert int(fork.chain.request("eth_getBalance", weth.address, "latest"), 16) == held + 7


def test_start_with_fork_url_of_an_unlisted_chain_deploys_on_it() -> None:
    with LocalChain.start(chain_id=4242) as bare, Sandbox.start(fork_url=bare.url) as sandbox:
        assert sandbox.deployment.chain_id == 4242
        assert look(sandbox)["WETH"] == 1_000 * 10**18


def test_start_with_fork_url_of_a_chain_that_only_bears_a_listed_id_deploys_on_it() -> None:
    with LocalChain.start(chain_id=1) as bare, Sandbox.start(fork_url=bare.url) as sandbox:
        assert sandbox.deployment.chain_id == 1
        assert sandbox.deployment.protocols["uniswap_v2"]["factory"] != ZERO_ADDRESS
        assert look(sandbox)["USDC"] == 3_000_000 * 10**6


def test_start_with_fork_url_of_another_sandbox_goes_on_from_it(fork: Sandbox) -> None:
    usdc = fork.deployment.tokens["USDC"]
    fork.fund(STRANGER, usdc, 5)
    with Sandbox.start(fork_url=fork.url) as sandbox:
        assert sandbox.deployment == fork.deployment
        assert sandbox.trader == fork.trader
        assert get_balance(ChainEvm(sandbox.chain), usdc, STRANGER) == 5


def test_start_with_fork_url_of_a_listed_chain_keeps_its_protocols_and_funds_the_trader() -> None:
    profile = get_chain_profile(1)
    with LocalChain.start(chain_id=1) as chain:
        for token in profile.tokens.values():
            chain.set_code(token.address, get_artifact("TestToken").runtime_bytecode)
        with Sandbox.start(fork_url=chain.url) as sandbox:
            assert sandbox.deployment.protocols == profile.protocols
            assert sandbox.deployment.tokens == profile.tokens
            for symbol, whole in (("WETH", 1_000), ("USDC", 3_000_000), ("WBTC", 50)):
                token = profile.tokens[symbol]
                held = get_balance(ChainEvm(sandbox.chain), token, sandbox.trader.address)
                assert held == whole * 10**token.decimals


@pytest.mark.skipif("FORK_URL" not in os.environ, reason="FORK_URL names no node of a real chain")
def test_start_with_fork_url_of_a_real_chain_funds_the_trader() -> None:
    with Sandbox.start(fork_url=os.environ["FORK_URL"]) as sandbox:
        evm, trader = ChainEvm(sandbox.chain), sandbox.trader.address
        assert get_balance(evm, sandbox.profile.wrapped_native, trader) > 0
        assert get_balance(evm, sandbox.deployment.tokens["USDC"], trader) == 3_000_000 * 10**6


def test_start_with_fork_url_that_nobody_answers_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and never listens
        with pytest.raises(NodeUnreachableError):
            Sandbox.start(fork_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
