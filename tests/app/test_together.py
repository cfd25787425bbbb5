"""Several trades in one transaction, on the real routers: all or nothing, and for less gas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from few_venues import with_few_venues

from onchain_exec import Desk, LocalSigner, Request
from onchain_exec.app.path.context import Policy, Step
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.chain_evm import ChainEvm
from onchain_exec.app.sandbox.erc20 import get_balance
from onchain_exec.app.sandbox.evm import DEPLOYER
from onchain_exec.app.together import require_saving
from onchain_exec.cli.printing.views import print_order
from onchain_exec.core import format_tokens
from onchain_exec.core.abi import Function
from onchain_exec.errors import DuplicateOrderError, HaltedError, InputError, UnsupportedOrderError
from onchain_exec.oms import Journal, OrderState, SwitchState
from onchain_exec.venues.erc20 import APPROVE

SALES = (
    Request("WETH", "USDC", "2", max_slippage_bps=50),
    Request("WETH", "DAI", "1", max_slippage_bps=50),
    Request("DAI", "USDC", "500", max_slippage_bps=50),
)
SET_PAUSED = Function("setPaused(bool)")


class KilledError(Exception):
    """The process ends here."""


def read_holdings(fork: Sandbox) -> dict[str, int]:
    tokens = fork.deployment.tokens
    return {name: get_balance(ChainEvm(fork.chain), tokens[name], fork.trader.address) for name in tokens}


def open_desk(fork: Sandbox, path: Path, **options: Any) -> Desk:
    profile = with_few_venues(fork.profile)
    return Desk.connect(
        fork.url, signer=LocalSigner(fork.trader.key), journal=path, profile=profile, **options
    )


@pytest.fixture
def desk(fork: Sandbox, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(fork, tmp_path / "j") as desk:
        yield desk


def test_submit_all_makes_every_trade_in_one_transaction_for_less_gas(fork: Sandbox, desk: Desk) -> None:
    before, quotes = read_holdings(fork), [desk.quote(sale.sell, sale.buy, sale.amount) for sale in SALES]
    plans = [desk.plan(quote) for quote in quotes]
    order = desk.submit_all(*SALES, client_order_id="rebalance")
    after = read_holdings(fork)
    assert order.state is OrderState.FILLED
    assert len(order.slots) == 1
    moved = {name: change for name in after if (change := after[name] - before[name])}
    assert moved.keys() == {"WETH", "DAI", "USDC"}
    assert moved["WETH"] == -3 * 10**18
    assert moved["USDC"] >= quotes[0].amount_out_min + quotes[2].amount_out_min
    assert moved["DAI"] >= quotes[1].amount_out_min - 500 * 10**18
    apart = sum(step.gas_used for plan in plans for step in (*plan.depends_on, plan))
    used = int(fork.chain.request("eth_getTransactionReceipt", order.tx_hash)["gasUsed"], 16)
    assert used < apart
    assert desk.reconcile().breaks == ()

    assert desk.submit_all(*SALES, client_order_id="rebalance") == order
    with pytest.raises(DuplicateOrderError, match="does something else"):
        desk.submit_all(*SALES[:2], client_order_id="rebalance")
    assert read_holdings(fork) == after


def test_submit_all_tells_what_each_trade_moved_to_the_unit(
    fork: Sandbox, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = Request("WETH", "USDC", "0.2", max_slippage_bps=50)
    sales, tokens, trader = (pair, SALES[2], pair), fork.deployment.tokens, fork.trader.address
    with fork.chain.fork() as one_by_one:
        order = desk.submit_all(*sales)
        evm, made = ChainEvm(one_by_one), list[dict[str, int]]()
        for spend in order.action.pulled:
            evm.call(trader, spend.token, APPROVE.encode(spend.spender, spend.amount))
        for call in order.action.calls:
            before = {token.address: get_balance(evm, token, trader) for token in tokens.values()}
            evm.call(trader, call.to, call.data, call.value_wei)
            after = {token.address: get_balance(evm, token, trader) for token in tokens.values()}
            made.append(
                {token: after[token] - before[token] for token in after if after[token] != before[token]}
            )
    assert [dict(moves) for moves in order.call_moves] == made
    weth, usdc = tokens["WETH"], tokens["USDC"]
    first, _, last = made
    assert first[weth.address] == last[weth.address] == -(10**18) // 5
    assert first[usdc.address] > last[usdc.address] > 0  # the same pools, later
    assert [call["moved"] for call in order.to_json()["calls"]] == [
        {token: str(change) for token, change in moves.items()} for moves in made
    ]
    print_order(order)
    shown = " ".join(capsys.readouterr().out.split())
    assert f"-0.2 WETH, +{format_tokens(last[usdc.address], usdc)}" in shown


def test_submit_all_with_one_that_is_denied_signs_nothing(fork: Sandbox, desk: Desk) -> None:
    before = read_holdings(fork)
    too_much = Request("DAI", "USDC", amount_base_units=before["DAI"] + 1, max_slippage_bps=50)
    order = desk.submit_all(SALES[2], too_much)
    assert (order.state, order.failure.code) == (OrderState.DENIED, "BALANCE_BELOW_AMOUNT")
    each_alone = Request("DAI", "USDC", amount_base_units=before["DAI"] * 2 // 3, max_slippage_bps=50)
    order = desk.submit_all(each_alone, each_alone)
    assert (order.state, order.failure.code) == (OrderState.DENIED, "BALANCE_BELOW_AMOUNT")
    with pytest.raises(InputError, match="1 trades; needed: two or more"):
        desk.submit_all(SALES[2])
    assert all(not view.slots for view in desk.orders())
    assert read_holdings(fork) == before


def test_submit_all_of_which_one_reverts_on_chain_does_nothing(fork: Sandbox, tmp_path: Path) -> None:
    before, chain = read_holdings(fork), fork.chain
    chain.request("evm_setAutomine", False)
    with open_desk(fork, tmp_path / "j", policy=Policy(confirm_timeout_s=0.0)) as desk:
        order = desk.submit_all(*SALES[:2])
        assert order.state is OrderState.WORKING
        pause = {"to": fork.deployment.tokens["DAI"].address, "data": "0x" + SET_PAUSED.encode(True).hex()}
        fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11)}
        chain.request("eth_sendTransaction", {"from": DEPLOYER, **pause, **fees})
        chain.mine()
        desk.recover()
        (order,) = desk.orders()
    assert order.state is OrderState.FAILED
    assert read_holdings(fork) == before


def test_submit_all_after_a_crash_before_the_signature_runs_as_it_was_accepted(
    fork: Sandbox, tmp_path: Path
) -> None:
    def die(step: Step, _: object) -> None:
        if step is Step.ACCEPTED:
            raise KilledError

    before = read_holdings(fork)
    with open_desk(fork, tmp_path / "j", observe=die) as desk, pytest.raises(KilledError):
        desk.submit_all(*SALES[:2], client_order_id="once")
    with open_desk(fork, tmp_path / "j") as desk:
        (left,) = desk.orders()
        assert left.state is OrderState.NEW
        order = desk.submit_all(*SALES[:2], client_order_id="once")
        assert (order.state, order.action) == (OrderState.FILLED, left.action)
    assert read_holdings(fork)["WETH"] == before["WETH"] - 3 * 10**18


def test_submit_all_while_trades_together_are_stopped_accepts_nothing(desk: Desk, tmp_path: Path) -> None:
    with Journal.open(tmp_path / "j") as journal:
        journal.append_switch("venue:swaps", SwitchState.PAUSED, "a drill")
    with pytest.raises(HaltedError, match="a drill"):
        desk.submit_all(*SALES[:2], client_order_id="later")
    assert [(order.state, order.slots, order.client_order_id) for order in desk.orders()] == [
        (OrderState.REJECTED, (), "")
    ]


def test_require_saving_counts_approvals_and_the_lending_of_code(desk: Desk) -> None:
    swap = desk.plan(desk.quote("WETH", "USDC", "1"))
    apart = 2 * sum(step.gas_used for step in (*swap.depends_on, swap))
    guard = desk.profile.get_contract("onchain_exec", "guard")
    lends = replace(swap, plan=replace(swap.plan, delegate=guard))
    require_saving([swap, swap], replace(lends, gas_used=apart - 25_001))
    for tried in (replace(lends, gas_used=apart - 25_000), replace(swap, gas_used=apart)):
        with pytest.raises(UnsupportedOrderError, match=f"takes {apart} gas; needed: less than the {apart}"):
            require_saving([swap, swap], tried)
