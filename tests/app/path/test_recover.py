"""What a start goes on with, where several accounts share a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from few_venues import with_few_venues

from onchain_exec import Desk, LocalSigner, OrderState, Policy
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.errors import HaltedError
from onchain_exec.oms import Journal, SwitchState, get_account_scope


class KilledError(Exception):
    """The process ends here."""


def open_desk(fork: Sandbox, path: Path, key: str | bytes, **options: Any) -> Desk:
    signer = LocalSigner(key, chain_id=fork.chain.chain_id)
    profile = with_few_venues(fork.profile)
    return Desk.connect(fork.url, signer=signer, journal=path, profile=profile, **options)


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
