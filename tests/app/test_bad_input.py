"""Every bad input, through the command line: what was found, what is needed, what to do; nothing
signed; one line in the journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from chain_facts import deploy_token, nonce_of, pause
from cli_runner import Cli

from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.chain import LocalChain
from onchain_exec.oms import Journal

SWAP = ("swap", "--yes", "--sell", "WETH", "--amount", "1", "--buy", "USDC")


PENNILESS = "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"
"""One of anvil's public test keys, whose account holds no tokens."""


def journal_lines(cli: Cli) -> int:
    with Journal.open(cli.journal) as journal:
        return len(journal.read_orders())


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        ((*SWAP[:3], "NOPE", *SWAP[4:]), "UnknownTokenError", 2),
        ((*SWAP[:3], "0x" + "42" * 20, *SWAP[4:]), "UnknownTokenError", 2),
        ((*SWAP[:5], "0.0000000000000000001", *SWAP[6:]), "AmountError", 2),
        ((*SWAP[:5], "-1", *SWAP[6:]), "AmountError", 2),
        ((*SWAP[:7], "WETH"), "InputError", 2),
        ((*SWAP[:4], "--amount-out", "1000000000000", *SWAP[6:]), "NoRouteError", 4),
        ((*SWAP, "--max-slippage-bps", "20000"), "InputError", 2),
    ],
)
def test_swap_of_bad_input_is_a_typed_error_and_one_journal_line(
    arguments: tuple[str, ...], code: str, exit_code: int, cli: Cli, fork: Sandbox
) -> None:
    error = cli.json(*arguments, expect=exit_code)["error"]
    assert error["code"] == code
    assert error["found"]
    assert error["needed"] or error["todo"]
    assert journal_lines(cli) == 1
    assert nonce_of(fork, fork.trader.address) == 0


def test_swap_of_a_pair_without_a_pool_says_so(cli: Cli, fork: Sandbox) -> None:
    lonely = deploy_token(fork, "LONE")
    error = cli.json("swap", "--yes", "--sell", "WETH", "--amount", "1", "--buy", lonely, expect=4)
    assert error["error"]["code"] == "NoPoolError"
    assert nonce_of(fork, fork.trader.address) == 0


@pytest.mark.parametrize(
    ("arguments", "environment", "code"),
    [
        ((*SWAP, "--max-slippage-bps", "500"), {}, "SLIPPAGE_EXCEEDS_MAXIMUM"),
        (SWAP, {"ONCHAIN_EXEC_MAX_IMPACT_BPS": "0"}, "PRICE_IMPACT_EXCEEDS_MAXIMUM"),
        (SWAP, {"ONCHAIN_EXEC_PRIVATE_KEY": PENNILESS}, "BALANCE_BELOW_AMOUNT"),
        (SWAP, {"ONCHAIN_EXEC_TIME_TO_LIVE_S": "0"}, "DEADLINE_PASSED"),
        (SWAP, {"ONCHAIN_EXEC_MAX_SHORTFALL_BPS": "0"}, "PRICE_SHORTFALL_EXCEEDS_MAXIMUM"),
        (SWAP, {"ONCHAIN_EXEC_MAX_NOTIONAL": '{"weth": "0.999"}'}, "NOTIONAL_EXCEEDS_MAXIMUM"),
        (SWAP, {"ONCHAIN_EXEC_ALLOWED_TOKENS": '["WETH", "DAI"]'}, "TOKEN_NOT_ALLOWED"),
        (SWAP, {"ONCHAIN_EXEC_GAS_RESERVE_ETHER": "1000000"}, "GAS_BALANCE_BELOW_COST"),
    ],
)
def test_swap_beyond_a_limit_is_denied_with_exit_3(
    arguments: tuple[str, ...], environment: dict[str, str], code: str, cli: Cli, fork: Sandbox
) -> None:
    order = cli.json(*arguments, expect=3, **environment)
    assert order["state"] == "DENIED"
    assert order["failure"]["code"] == code
    assert order["failure"]["found"]
    assert order["failure"]["needed"]
    assert order["failure"]["todo"]
    assert journal_lines(cli) == 1
    assert nonce_of(fork, fork.trader.address) == 0


def test_swap_when_the_node_is_down_says_where_and_leaves_a_line(tmp_path: Path) -> None:
    cli = Cli("http://127.0.0.1:9", tmp_path / "journal.sqlite")
    error = cli.json(*SWAP, expect=4)["error"]
    assert error["code"] == "NodeUnreachableError"
    assert "127.0.0.1:9" in error["message"]
    assert journal_lines(cli) == 1


def test_swap_on_a_node_of_another_chain_is_refused(cli: Cli, fork: Sandbox) -> None:
    error = cli.json(*SWAP, expect=2, ONCHAIN_EXEC_CHAIN_ID="1")["error"]
    assert error["code"] == "WrongChainError"
    assert "1337" in error["found"]
    assert nonce_of(fork, fork.trader.address) == 0


def test_quote_on_a_chain_that_bears_our_id_and_lacks_our_contracts_is_refused(tmp_path: Path) -> None:
    with LocalChain.start(chain_id=1337) as bare:
        error = Cli(bare.url, tmp_path / "j.sqlite").json(
            "quote", "--sell", "WETH", "--amount", "1", "--buy", "USDC", expect=2
        )
    assert error["error"]["code"] == "UnknownTokenError"


def test_swap_of_a_paused_token_names_the_revert(cli: Cli, fork: Sandbox) -> None:
    pause(fork, fork.profile.tokens["USDC"])
    error = cli.json(*SWAP, expect=4)["error"]
    assert error["code"] in ("RevertError", "TokenRefusedError")
    assert error["found"]
    assert journal_lines(cli) == 1
    assert nonce_of(fork, fork.trader.address) == 0


def test_a_key_never_shows(fork: Sandbox, tmp_path: Path) -> None:
    key = fork.trader.key
    cli = Cli(fork.url, tmp_path / "journal.sqlite")
    for arguments in (SWAP, (*SWAP, "--max-slippage-bps", "900"), ("doctor",), ("quote", "--sell", "x")):
        for value in (key, key + "ff"):
            done = cli.run(*arguments, ONCHAIN_EXEC_PRIVATE_KEY=value)
            assert key[2:] not in done.stdout + done.stderr
    crashed = cli.run_process(*SWAP, ONCHAIN_EXEC_PRIVATE_KEY=key + "ff")
    assert key[2:] not in crashed.stdout + crashed.stderr
    assert key[2:].encode() not in cli.journal.read_bytes()


def test_dry_run_shows_the_transaction_and_signs_nothing(cli: Cli, fork: Sandbox) -> None:
    document = cli.json("swap", "--dry-run", *SWAP[2:])
    transaction, routers = document["transaction"], document["router"]
    assert transaction["to"] == fork.profile.get_contract("onchain_exec", "router")
    assert routers["chosen"] == "Router"
    assert routers["gas_units"]["Router"] < routers["gas_units"]["SwapRouter02"]
    assert routers["excluded"] == {"Universal Router": "Permit2 may not pull the amount"}
    assert transaction["data"].startswith("0x")
    assert [step["purpose"] for step in transaction["depends_on"]] == ["allowance"]
    assert nonce_of(fork, fork.trader.address) == 0
    assert journal_lines(cli) == 0


def test_swap_without_yes_asks_and_sends_nothing_where_nobody_answers(cli: Cli, fork: Sandbox) -> None:
    done = cli.run("swap", *SWAP[2:])
    assert "Send it?" in done.stdout
    assert (done.returncode, "nobody answered" in done.stderr) == (2, True)
    assert nonce_of(fork, fork.trader.address) == 0


def test_orders_and_show_tell_what_reconcile_tells(cli: Cli) -> None:
    made = cli.json(*SWAP, "--client-order-id", "mine")
    listed = cli.json("orders")["orders"]
    assert [order["id"] for order in listed] == [made["id"]]
    for name in (made["id"], made["id"][:10], "mine", made["tx_hash"]):
        assert cli.json("show", name)["id"] == made["id"]
    assert cli.json("show", "nothing", expect=2)["error"]["code"] == "InputError"
    assert [order["id"] for order in cli.json("reconcile")["orders"]] == [made["id"]]
    assert json.loads(json.dumps(made)) == made
