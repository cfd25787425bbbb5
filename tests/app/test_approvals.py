"""Lingering approvals, through the command line: catalogue entry 74 (a lingering allowance)."""

from __future__ import annotations

import pytest
from cli_runner import Cli
from eth_account import Account

from onchain_exec import Desk, LocalSigner
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import to_address
from onchain_exec.core.abi import Function
from onchain_exec.oms import Journal

APPROVE = Function("approve(address,uint256)")
PERMIT2_APPROVE = Function("approve(address,address,uint160,uint48)")
STRANGER = to_address(b"\x66" * 20)


def approve(fork: Sandbox, symbol: str, spender: str, amount: int) -> None:
    token = fork.deployment.tokens[symbol].address
    ChainEvm(fork.chain).call(fork.trader.address, token, APPROVE.encode(spender, amount))


def test_approvals_lists_what_stands_and_nothing_else(cli: Cli, fork: Sandbox) -> None:
    assert cli.json("approvals")["approvals"] == []
    contracts = fork.deployment.protocols
    router, permit2 = contracts["uniswap_v3"]["swap_router"], contracts["permit2"]["permit2"]
    universal = contracts["universal_router"]["router"]
    approve(fork, "WETH", router, 2**256 - 1)
    approve(fork, "USDC", router, 5)
    approve(fork, "USDC", router, 0)
    approve(fork, "DAI", STRANGER, 7)
    usdc = fork.deployment.tokens["USDC"].address
    ChainEvm(fork.chain).call(
        fork.trader.address, permit2, PERMIT2_APPROVE.encode(usdc, universal, 1_500_000, 2**48 - 1)
    )
    listed = cli.json("approvals")["approvals"]
    assert {(a["symbol"], a["spender_name"], a["through"], a["amount"]) for a in listed} == {
        ("WETH", "uniswap_v3 swap_router", "token", str(2**256 - 1)),
        ("USDC", "universal_router router", "permit2", "1500000"),
    }
    assert {(a["symbol"], a["spender"], a["unlimited"]) for a in listed} == {
        ("WETH", router, True),
        ("USDC", universal, False),
    }
    since = cli.json("approvals", "--since", "0")["approvals"]
    assert {(a["symbol"], a["spender"]) for a in since} == {
        ("WETH", router),
        ("USDC", universal),
        ("DAI", STRANGER),
    }
    assert "unlimited" in cli.run("approvals").stdout


def test_approvals_revoke_gives_transactions_that_take_it_back(cli: Cli, fork: Sandbox) -> None:
    approve(fork, "DAI", STRANGER, 7)
    found = cli.json("approvals", "--since", "0", "--revoke", f"DAI:{STRANGER}", "--dry-run")
    (tx,) = found["transactions"]
    signed = Account.sign_transaction(
        {
            "type": 2,
            "chainId": tx["chainId"],
            "nonce": int(fork.chain.request("eth_getTransactionCount", tx["from"], "latest"), 16),
            "to": tx["to"],
            "data": tx["data"],
            "value": int(tx["value"]),
            "gas": tx["gas"],
            "maxFeePerGas": int(tx["maxFeePerGas"]),
            "maxPriorityFeePerGas": int(tx["maxPriorityFeePerGas"]),
        },
        fork.trader.key,
    )
    fork.chain.request("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
    fork.chain.mine()
    assert cli.json("approvals", "--since", "0")["approvals"] == []
    error = cli.json("approvals", "--since", "0", "--revoke", f"DAI:{STRANGER}", "--dry-run", expect=2)[
        "error"
    ]
    assert error["code"] == "InputError"
    assert "no approval" in error["found"]


def test_approvals_of_another_account_needs_no_key(cli: Cli) -> None:
    assert cli.json("approvals", "--account", STRANGER)["account"] == STRANGER


def test_approvals_with_bad_input_says_what_is_needed(cli: Cli) -> None:
    assert (
        "TOKEN:SPENDER" in cli.json("approvals", "--revoke", "DAI", "--dry-run", expect=2)["error"]["needed"]
    )
    assert (
        cli.json("approvals", "--revoke", f"NOPE:{STRANGER}", "--yes", expect=2)["error"]["code"]
        == "UnknownTokenError"
    )


def test_approvals_revoke_sends_through_the_journal(cli: Cli, fork: Sandbox) -> None:
    contracts = fork.deployment.protocols
    permit2, universal = contracts["permit2"]["permit2"], contracts["universal_router"]["router"]
    usdc = fork.deployment.tokens["USDC"].address
    approve(fork, "USDC", universal, 7)
    ChainEvm(fork.chain).call(
        fork.trader.address, permit2, PERMIT2_APPROVE.encode(usdc, universal, 5, 2**48 - 1)
    )
    orders = cli.json("approvals", "--revoke", f"USDC:{universal}", "--yes")["orders"]
    assert [(order["state"], order["fill"], order["token_in"]) for order in orders] == [
        ("FILLED", None, None)
    ] * 2
    assert cli.json("approvals", "--since", "0")["approvals"] == []
    first = orders[0]["nonces"][0]
    assert [order["nonces"] for order in orders] == [[first], [first + 1]]
    assert [order["id"] for order in cli.json("orders")["orders"]] == [order["id"] for order in orders]
    assert cli.json("show", orders[0]["tx_hash"])["id"] == orders[0]["id"]
    assert "REVOKE" in cli.run("orders").stdout.upper()
    assert cli.json("reconcile")["breaks"] == []


class KilledError(Exception):
    """The process ends here."""


def test_approvals_and_reconcile_name_what_an_expired_order_left_and_what_to_type(
    cli: Cli, fork: Sandbox
) -> None:
    def die(step: Step, _: object) -> None:
        if step is Step.CONFIRMED:
            raise KilledError

    desk = Desk.connect(
        fork.url, signer=LocalSigner(fork.trader.key), journal=cli.journal, profile=fork.profile, observe=die
    )
    with desk, pytest.raises(KilledError):
        desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
    assert [known["left_by"] for known in cli.json("approvals")["approvals"]] == [None]  # it still goes on
    assert cli.json("reconcile")["breaks"] == []
    with Journal.open(cli.journal) as journal:
        (order,) = journal.read_orders()
        journal.append_expiry(order.order_id)
    (left,) = cli.json("approvals")["approvals"]
    assert (left["left_by"], left["amount"]) == (order.order_id, str(10**18))
    (found,) = cli.json("reconcile", expect=4)["breaks"]
    assert (found["code"], found["order_id"]) == ("ALLOWANCE_LEFT", order.order_id)
    command = found["todo"].split("`")[1]
    assert command in cli.run("approvals").stderr
    assert command in cli.run("reconcile", COLUMNS="60").stdout  # in one piece, however narrow
    cli.json(*command.split()[1:], "--yes")
    assert cli.json("approvals")["approvals"] == []
    assert cli.json("reconcile")["breaks"] == []


def test_approvals_revoke_takes_back_what_no_list_has_without_a_search(cli: Cli, fork: Sandbox) -> None:
    approve(fork, "DAI", STRANGER, 7)
    assert cli.json("approvals")["approvals"] == []
    cli.json("approvals", "--revoke", f"DAI:{STRANGER}", "--yes")
    assert cli.json("approvals", "--since", "0")["approvals"] == []


def test_approvals_revoke_without_an_answer_sends_nothing(cli: Cli, fork: Sandbox) -> None:
    approve(fork, "DAI", STRANGER, 7)
    arguments = ("approvals", "--since", "0", "--revoke", f"DAI:{STRANGER}")
    assert cli.json(*arguments, expect=2)["error"]["needed"] == "--yes or --dry-run"
    assert len(cli.json("approvals", "--since", "0")["approvals"]) == 1
    assert not cli.journal.exists()
