"""Two desks that trade one account through one journal at once, each as in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from onchain_exec import Desk, LocalSigner, OrderState
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.execution import DurableTx, Purpose


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
