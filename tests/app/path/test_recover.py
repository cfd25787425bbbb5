"""What a start goes on with, under which bounds, and where several accounts share a journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from few_venues import with_few_venues
from oms.builders import BLOCK, CHAIN_ID, KEEPER, TRADER, make_plan, make_quote, sign_plan
from path_stage import APPROVED, ORDER, Stage, open_stage, take_steps

from onchain_exec import Desk, LocalSigner, OrderState, Policy
from onchain_exec.app.path import recover
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Address
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import DuplicateOrderError, HaltedError, InputError
from onchain_exec.execution import Purpose
from onchain_exec.oms import Journal, SlotKey, SlotState, SlotView, SwitchState, get_account_scope
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.routing import Quote


@pytest.fixture
def stage() -> Stage:
    return open_stage()


async def resume(stage: Stage, patch: pytest.MonkeyPatch, **found: Any) -> None:
    """Resume what a look at the chain found."""
    nothing: dict[str, Any] = {"resent": (), "to_cancel": (), "to_reprice": (), "unsigned": ()}
    looked = SimpleNamespace(**(nothing | found))
    steps = {"look_after_private": None, "recover": looked, "_resume_intents": None}
    take_steps(stage, patch, recover, **steps, _cancel=None, _reprice=None)
    await recover.resume_all(stage.context)


async def test_resume_all_looks_for_leaks_before_anything_is_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await resume(stage, monkeypatch)
    assert stage.told == ["block", "look_after_private", "recover", "_resume_intents"]


async def test_resume_all_waits_for_what_was_sent_again_before_it_signs_anything(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = SlotView(SlotKey(CHAIN_ID, TRADER, 0), SlotState.SENT, "order-1", Purpose.SWAP, "")
    take_steps(stage, monkeypatch, recover, wait=True)
    await resume(stage, monkeypatch, resent=(("bytes", "sent"),), to_cancel=(slot,))
    assert stage.told[3:-1] == ["wait", "_cancel"]


@pytest.mark.parametrize("account", [TRADER, KEEPER])
async def test_resume_all_signs_for_its_own_account_alone(
    stage: Stage, account: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = SlotView(SlotKey(CHAIN_ID, account, 0), SlotState.SENT, "order-1", Purpose.SWAP, "")
    await resume(stage, monkeypatch, to_cancel=(slot,), to_reprice=(slot,))
    assert stage.told[3:-1] == (["_cancel", "_reprice"] if account == TRADER else [])


async def test_resume_all_runs_what_was_never_signed_under_the_bounds_it_was_accepted_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The market has fallen: it still gives what was accepted, and a bound of its own would give less."""
    accepted, fallen = APPROVED.quote, make_quote(ORDER, 1_995 * 10**6)
    assert fallen.amount_out_min < accepted.amount_out_min < fallen.amount_out
    ran: list[Quote] = []

    async def run(_: Any, quote: Quote) -> None:
        ran.append(quote)

    monkeypatch.setattr(recover, "run", run)
    take_steps(stage, monkeypatch, recover, quote_order=fallen)
    await resume(stage, monkeypatch, unsigned=stage.journal.read_orders())
    assert [(quote.amount_out, quote.amount_out_min) for quote in ran] == [
        (fallen.amount_out, accepted.amount_out_min)
    ]


async def test_resume_all_ends_what_was_never_signed_once_the_market_gives_less(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_steps(stage, monkeypatch, recover, quote_order=make_quote(ORDER, 1_900 * 10**6), run=None)
    await resume(stage, monkeypatch, unsigned=stage.journal.read_orders())
    assert "run" not in stage.told
    assert stage.journal.read_order(ORDER.order_id).state is OrderState.REJECTED


async def test_resume_all_leaves_alone_what_ended_while_its_approval_was_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wait(*_: Any) -> bool:
        stage.journal.append_failure(ORDER.order_id, InputError("its approval reverted"))
        return False

    monkeypatch.setattr(recover, "wait", wait)
    take_steps(stage, monkeypatch, recover, quote_order=APPROVED.quote, run=None)
    await resume(stage, monkeypatch, resent=((None, None),), unsigned=stage.journal.read_orders())
    assert stage.told[-1] == "_resume_intents"


async def test_continue_action_begins_again_what_was_never_signed_and_refuses_the_id_of_a_swap(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = ActionOrder("a", "a", TRADER, "aave_v3", (VenueCall("supply", TRADER, b""),), (), 10**10)
    take_steps(stage, monkeypatch, recover, resume_all=None)
    assert await recover.continue_action(stage.context, stage.journal.append_action(action), action) is None
    other = replace(action, calls=(VenueCall("withdraw", TRADER, b"\x01"),))
    for taken, asked in ((ORDER.order_id, action), (action.order_id, other)):
        with pytest.raises(DuplicateOrderError, match="does something else"):
            await recover.continue_action(stage.context, stage.journal.read_order(taken), asked)
    assert stage.told == []


@pytest.mark.parametrize("is_open", [True, False])
async def test_continue_action_goes_on_with_what_is_open_and_tells_of_what_is_not(
    is_open: bool, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = ActionOrder("a", "a", TRADER, "aave_v3", (VenueCall("supply", TRADER, b""),), (), 10**10)
    stage.journal.append_action(action)
    if is_open:
        nonce = stage.journal.reserve_nonce(CHAIN_ID, TRADER, "a", Purpose.ACTION, 0)
        stage.journal.write_signed(
            "a", sign_plan(make_plan(ApprovedAction(action, BLOCK), Purpose.ACTION), nonce)
        )
    else:
        stage.journal.append_expiry("a")
    take_steps(stage, monkeypatch, recover, resume_all=None)
    view = stage.journal.read_order("a")
    assert await recover.continue_action(stage.context, view, action) == view
    assert stage.told == (["resume_all"] if is_open else [])


class KilledError(Exception):
    """The process ends here."""


def open_desk(fork: Sandbox, path: Path, key: str | bytes, **options: Any) -> Desk:
    signer = LocalSigner(key, chain_id=fork.chain.chain_id)
    profile = with_few_venues(fork.profile)
    return Desk.connect(fork.url, signer=signer, journal=path, profile=profile, **options)


def test_sell_whose_approval_a_wallet_with_the_same_key_takes_back_ends_at_once(
    fork: Sandbox, tmp_path: Path
) -> None:
    chain, trader = fork.chain, fork.trader.address

    def take_back(step: Step, _: object) -> None:
        if step is Step.SENT:
            nonce = chain.request("eth_getTransactionCount", trader, "latest")
            dear = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11)}
            chain.request("anvil_impersonateAccount", trader)
            chain.request("eth_sendTransaction", {"from": trader, "to": trader, "nonce": nonce, **dear})
            chain.mine()

    chain.request("evm_setAutomine", False)
    path = tmp_path / "journal.sqlite"
    with open_desk(fork, path, fork.trader.key, observe=take_back) as desk:
        order = desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
        assert order.state is OrderState.REJECTED
        assert order.failure is not None
        assert "not in this journal" in order.failure.found
    with open_desk(fork, path, fork.trader.key) as desk:
        desk.recover()
        (again,) = desk.orders()
        assert (again.state, again.failure, again.slots) == (order.state, order.failure, order.slots)


def test_recover_leaves_an_unsigned_order_to_its_own_account(fork: Sandbox, tmp_path: Path) -> None:
    def die(step: Step, _: object) -> None:
        if step is Step.ACCEPTED:
            raise KilledError

    path, stranger = tmp_path / "journal.sqlite", fork.chain.accounts[5]
    with open_desk(fork, path, fork.trader.key, observe=die) as desk, pytest.raises(KilledError):
        desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
    with open_desk(fork, path, stranger.key) as other:
        other.recover()
        assert [order.state for order in other.orders()] == [OrderState.NEW]
    with open_desk(fork, path, fork.trader.key) as desk:
        desk.recover()
        assert [order.state for order in desk.orders()] == [OrderState.FILLED]


def test_recover_leaves_the_cancel_of_an_expired_order_to_its_own_account(
    fork: Sandbox, tmp_path: Path
) -> None:
    path, chain, stranger = tmp_path / "journal.sqlite", fork.chain, fork.chain.accounts[5]
    chain.request("evm_setAutomine", False)
    with open_desk(fork, path, fork.trader.key, policy=Policy(confirm_timeout_s=0.0)) as desk:
        desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
        chain.mine()  # the approval
        desk.recover()
        assert [order.state for order in desk.orders()] == [OrderState.WORKING]
    chain.request("anvil_dropAllTransactions")
    chain.increase_time(3_600)
    chain.mine()
    with open_desk(fork, path, stranger.key) as other:
        other.recover()
        assert [order.state for order in other.orders()] == [OrderState.WORKING]
    chain.request("evm_setAutomine", True)
    with open_desk(fork, path, fork.trader.key) as desk:
        desk.recover()
        assert [order.state for order in desk.orders()] == [OrderState.CANCELLED]


def test_recover_cancels_what_was_withdrawn_on_its_own_nonce(fork: Sandbox, tmp_path: Path) -> None:
    path, chain = tmp_path / "journal.sqlite", fork.chain
    chain.request("evm_setAutomine", False)
    with open_desk(fork, path, fork.trader.key, policy=Policy(confirm_timeout_s=0.0)) as desk:
        desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
        chain.mine()  # the approval
        desk.recover()
        (order,) = desk.orders()
    with Journal.open(path) as journal:  # as `onchain-exec cancel` does
        journal.append_cancel(order.order_id)
    with open_desk(fork, path, fork.trader.key, policy=Policy(confirm_timeout_s=0.0)) as desk:
        desk.recover()
        chain.mine()
        desk.reconcile()
        assert [order.state for order in desk.orders()] == [OrderState.CANCELLED]


def test_recover_sends_nothing_of_an_account_that_is_killed_and_goes_on_with_others(
    fork: Sandbox, tmp_path: Path
) -> None:
    path, chain, stranger = tmp_path / "journal.sqlite", fork.chain, fork.chain.accounts[5]
    scope = get_account_scope(fork.trader.address)
    chain.request("evm_setAutomine", False)
    with open_desk(fork, path, fork.trader.key, policy=Policy(confirm_timeout_s=0.0)) as desk:
        desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
        chain.request("anvil_dropAllTransactions")
        with Journal.open(path) as journal:
            (approval,) = journal.read_open().slots
            journal.append_switch(scope, SwitchState.KILLED, "a test")
            with open_desk(fork, path, stranger.key) as other:
                other.recover()
            with pytest.raises(HaltedError, match="a test"):
                desk.recover()
            tx_hash = approval.attempts[-1].tx.tx_hash
            assert chain.request("eth_getTransactionByHash", tx_hash) is None
            journal.append_switch(scope, SwitchState.RUNNING)
        desk.recover()
        assert chain.request("eth_getTransactionByHash", tx_hash) is not None
