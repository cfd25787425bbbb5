"""The fixtures as a user's own test run has them."""

import subprocess
import sys
from collections.abc import Callable

import pytest

HEAVY = {"web3", "aiohttp", "sqlalchemy", "eth_account", "numpy", "asyncio"}
_OURS = "onchain_exec.testing.plugin"
_LOADED = f"""
import sys
import pytest
before = set(sys.modules)
import {_OURS}
print(*(set(sys.modules) - before))
"""

BOT_TESTS = """
STRANGER = "0x7777777777777777777777777777777777777777"

def test_writes_on_a_fork(fork, fund, tokens):
    from onchain_exec.app.sandbox.chain_evm import ChainEvm
    from onchain_exec.app.sandbox.erc20 import get_balance
    fund(STRANGER, "USDC", "2500.5")
    assert get_balance(ChainEvm(fork.chain), tokens["USDC"], STRANGER) == 2_500_500_000

def test_finds_nothing_of_another_test(fork, local_chain, tokens):
    from onchain_exec.app.sandbox.chain_evm import ChainEvm
    from onchain_exec.app.sandbox.erc20 import get_balance
    assert get_balance(ChainEvm(fork.chain), tokens["USDC"], STRANGER) == 0
    assert get_balance(ChainEvm(local_chain.chain), tokens["USDC"], STRANGER) == 0

def test_trader_and_protocols_are_of_the_fork(fork, trader, protocols):
    assert trader == fork.trader
    assert protocols["uniswap_v3"]["quoter"] == fork.profile.get_contract("uniswap_v3", "quoter")

def test_whale_moves_tokens_without_a_key(whale, tokens):
    from onchain_exec.core.abi import Function
    transfer = Function("transfer(address,uint256)").encode(STRANGER, 10**18)
    for token in tokens.values():
        before = whale.get_balance(token)
        assert before >= 10**6 * 10**token.decimals
        whale.approve(token, STRANGER)
    whale.call(tokens["WETH"].address, transfer)
    assert whale.get_balance(tokens["WETH"]) == (10**6 - 1) * 10**18
"""

DESK_TEST = """
def test_bot_sells(desk, trader):
    quote = desk.quote("WETH", "USDC", "25")
    order = desk.sell("WETH", "25", buy="USDC", max_slippage_bps=30)
    assert order.fill.amount_out == quote.amount_out
"""

LYING_NODE_TEST = """
import urllib.error, urllib.request
import pytest
from onchain_exec.testing.lying_node import ServerError

def ask(url):
    body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    return urllib.request.urlopen(request).read()

def test_node_lies_when_told(lying_node, fork):
    assert ask(lying_node.url) == ask(fork.url)
    with lying_node.lying(ServerError(502), "eth_chainId"), pytest.raises(urllib.error.HTTPError) as failed:
        ask(lying_node.url)
    failed.value.close()
    assert failed.value.code == 502
    assert len(lying_node.transcript) == 2
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Run tests in a project where no other plugins than ours and xdist are installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(source: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_bot=source)
        plugins = ("-p", "onchain_exec", "-p", "xdist", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugins, *options)

    return run


def test_fixtures_do_as_they_say_on_a_fork_and_each_xdist_worker_has_a_chain(
    run: Callable[..., pytest.RunResult],
) -> None:
    run(BOT_TESTS + DESK_TEST + LYING_NODE_TEST, "-n", "2").assert_outcomes(passed=6)


def test_run_without_anvil_fails_where_a_chain_is_asked_for_only(
    run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONCHAIN_EXEC_ANVIL", "/no/such/anvil")
    result = run("def test_nothing(): pass\ndef test_something(fork): pass")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ConfigError*ONCHAIN_EXEC_ANVIL*"])


def test_import_loads_nothing_heavy() -> None:
    told = subprocess.run([sys.executable, "-c", _LOADED], check=True, capture_output=True, text=True)
    loaded = told.stdout.split()
    assert not {name.split(".")[0] for name in loaded} & HEAVY
    assert {name for name in loaded if name.startswith("onchain_exec")} <= {
        "onchain_exec",
        "onchain_exec.testing",
        _OURS,
    }


def test_every_fixture_says_what_it_is(run: Callable[..., pytest.RunResult]) -> None:
    told = run("", "--fixtures").stdout.str()
    for name in (
        "local_chain",
        "fork",
        "trader",
        "tokens",
        "protocols",
        "desk",
        "fund",
        "whale",
        "lying_node",
    ):
        _, _, description = told.partition(f"\n{name}")
        assert "onchain_exec/testing/plugin.py" in description.splitlines()[0]
        assert "no docstring" not in description.splitlines()[1]
