"""Two desks that trade one account through one journal at once, each as in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onchain_exec import Desk, LocalSigner, OrderState
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.execution import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderView


@pytest.mark.parametrize(("one_sells", "other_sells"), [("2", "1"), ("1", "2")])
def test_sell_while_another_desk_sells_the_same_token_leaves_each_its_own_allowance(
    one_sells: str, other_sells: str, fork: Sandbox, tmp_path: Path
) -> None:
    """The other desk approves and swaps between this desk's approval and its swap."""
    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    opening: dict[str, Any] = {
        "signer": signer,
        "journal": tmp_path / "journal.sqlite",
        "profile": fork.profile,
    }
    others = []

    def sell_in_between(step: Step, made: Any) -> None:
        approves = isinstance(made, DurableTx) and made.purpose is Purpose.ALLOWANCE
        if step is Step.RECORDED and approves and not others:
            others.append(other.sell("WETH", other_sells, buy="USDC"))

    with (
        Desk.connect(fork.url, **opening) as other,
        Desk.connect(fork.url, **opening, observe=sell_in_between) as desk,
    ):
        order = desk.sell("WETH", one_sells, buy="USDC", max_slippage_bps=100)
        assert [order.state, *(view.state for view in others)] == [OrderState.FILLED] * 2
        assert desk.reconcile().breaks == ()


@pytest.mark.parametrize("resumed", [True, False])
def test_sell_under_one_id_by_two_desks_at_once_is_one_order_and_no_error(
    resumed: bool, fork: Sandbox, tmp_path: Path
) -> None:
    """The other desk trades it while this one is about to, whether both found it or both began it."""
    opening: dict[str, Any] = {
        "signer": LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id),
        "journal": tmp_path / "journal.sqlite",
        "profile": fork.profile,
    }
    others = []

    def sell(desk: Desk) -> OrderView:
        return desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id="one")

    def die(step: Step, made: Any) -> None:
        if step is Step.ACCEPTED:
            raise InterruptedError

    def sell_in_between(step: Step, made: Any) -> None:
        if step is Step.SIMULATED and not others:
            others.append(None)
            others[0] = sell(other)

    if resumed:
        with Desk.connect(fork.url, **opening, observe=die) as dying, pytest.raises(InterruptedError):
            sell(dying)
    with (
        Desk.connect(fork.url, **opening) as other,
        Desk.connect(fork.url, **opening, observe=sell_in_between) as desk,
    ):
        order = sell(desk)
        assert [order.order_id] == [view.order_id for view in others]
        assert order.state is OrderState.FILLED
        assert len(desk.orders()) == 1
        assert desk.reconcile().breaks == ()


def test_sell_that_is_cancelled_while_it_is_prepared_sends_nothing_and_is_no_error(
    fork: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "journal.sqlite"

    def cancel(step: Step, made: Any) -> None:
        if step is Step.ACCEPTED:
            with Journal.open(path) as journal:
                journal.append_cancel(made.order_id)

    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    with Desk.connect(fork.url, signer=signer, journal=path, profile=fork.profile, observe=cancel) as desk:
        order = desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50)
    assert (order.state, order.final, order.slots) == (OrderState.CANCELLED, True, ())
