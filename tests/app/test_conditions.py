"""Orders with conditions on the state after their swap: asked by the Router, and before by us."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from chain_facts import nonce_of, send
from few_venues import without

from onchain_exec import AsyncDesk, Call, Condition, Desk, LocalSigner, OrderState
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.core.abi import Function
from onchain_exec.errors import DuplicateOrderError, UnsupportedOrderError
from onchain_exec.execution import DurableTx
from onchain_exec.execution.plan import Purpose
from onchain_exec.venues.erc20 import BALANCE_OF

_TRANSFER = Function("transfer(address,uint256)")

HELD = 5_000 * 10**6
"""USDC base units that a third account holds, and sends away to break what asks for them."""


class Treasury:
    """A third account whose balance the conditions here look at."""

    def __init__(self, fork: Sandbox) -> None:
        self._fork, self._usdc = fork, fork.profile.tokens["USDC"]
        self.address = fork.chain.accounts[9].address
        fork.fund(self.address, self._usdc, HELD)
        self.balance = Call(self._usdc.address, BALANCE_OF.encode(self.address))

    def pay(self) -> None:
        """Send one unit away, in a block of its own."""
        send(self._fork, self._usdc.address, _TRANSFER.encode(self._fork.chain.accounts[8].address, 1))


@pytest.fixture
def treasury(fork: Sandbox) -> Treasury:
    return Treasury(fork)


@pytest.fixture
def at_step(fork: Sandbox, tmp_path: Path) -> Callable[..., Desk]:
    """Open a desk that calls ``act`` at a step of the transaction for a purpose."""

    def connect(
        step: Step | None = None, purpose: Purpose | None = None, act: Callable[[], None] = list
    ) -> Desk:
        def observe(done: Step, made: object) -> None:
            if done is step and isinstance(made, DurableTx) and made.purpose is purpose:
                act()

        signer, journal = LocalSigner(fork.trader.key), tmp_path / "journal.sqlite"
        return Desk.connect(fork.url, signer=signer, journal=journal, profile=fork.profile, observe=observe)

    return connect


def test_sell_whose_conditions_hold_fills_through_our_router_and_keeps_its_id_from_others(
    at_step: Callable[..., Desk], treasury: Treasury, fork: Sandbox
) -> None:
    holding = [Condition.at_least(treasury.balance, HELD), Condition.equal(treasury.balance, HELD)]
    with at_step() as desk:
        order = desk.sell("WETH", "1", buy="USDC", client_order_id="a", conditions=holding)
        with pytest.raises(DuplicateOrderError):
            desk.sell("WETH", "1", buy="USDC", client_order_id="a", conditions=holding[1:])
    transaction = fork.chain.request("eth_getTransactionByHash", order.tx_hash)
    assert order.state is OrderState.FILLED
    assert order.order is not None
    assert order.order.conditions == tuple(holding)
    assert transaction["to"] == fork.profile.protocols["onchain_exec"]["router"].lower()


def test_sell_whose_condition_would_not_hold_is_denied_and_sends_nothing(
    at_step: Callable[..., Desk], treasury: Treasury, fork: Sandbox
) -> None:
    broken = Condition.at_least(treasury.balance, HELD + 1, label="treasury")
    with at_step() as desk:
        order = desk.sell(
            "WETH", "1", buy="USDC", conditions=[Condition.at_least(treasury.balance, 0), broken]
        )
    assert order.state is OrderState.DENIED
    assert order.failure is not None
    assert (order.failure.code, order.failure.needed) == ("CONDITION_FAILED", f"at least {HELD + 1}")
    assert order.failure.found == f"treasury: {HELD} after the swap"
    assert nonce_of(fork, fork.trader.address) == 0


def test_sell_whose_condition_breaks_before_it_is_mined_reverts_and_fails_with_the_reason(
    at_step: Callable[..., Desk], treasury: Treasury, fork: Sandbox
) -> None:
    with at_step(Step.JOURNALLED, Purpose.SWAP, treasury.pay) as desk:
        order = desk.sell("WETH", "1", buy="USDC", conditions=[Condition.at_least(treasury.balance, HELD)])
    assert fork.chain.request("eth_getTransactionReceipt", order.tx_hash)["status"] == "0x0"
    assert order.state is OrderState.FAILED
    assert order.failure is not None
    assert f"CheckFailed(0, {HELD - 1}, {HELD})" in order.failure.found


def test_sell_whose_condition_breaks_after_its_approval_is_denied_before_the_swap_is_signed(
    at_step: Callable[..., Desk], treasury: Treasury, fork: Sandbox
) -> None:
    with at_step(Step.RECORDED, Purpose.ALLOWANCE, treasury.pay) as desk:
        order = desk.sell("WETH", "1", buy="USDC", conditions=[Condition.at_least(treasury.balance, HELD)])
    assert (order.state, order.tx_hash) == (OrderState.DENIED, "")
    assert nonce_of(fork, fork.trader.address) == 1


async def test_sell_with_conditions_where_no_router_of_ours_stands_raises_unsupported(
    treasury: Treasury, fork: Sandbox, tmp_path: Path
) -> None:
    async with await AsyncDesk.connect(
        fork.url,
        signer=LocalSigner(fork.trader.key),
        journal=tmp_path / "journal.sqlite",
        profile=without(fork.profile, "onchain_exec"),
    ) as desk:
        with pytest.raises(UnsupportedOrderError, match="no Router"):
            await desk.sell("WETH", "1", buy="USDC", conditions=[Condition.at_least(treasury.balance, HELD)])
    assert nonce_of(fork, fork.trader.address) == 0
