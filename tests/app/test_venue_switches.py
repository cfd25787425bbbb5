"""Nobody trades at a stopped venue: not on quotes that were made before, nor by several trades in one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from few_venues import with_few_venues

from onchain_exec import Desk, LocalSigner, Request
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.errors import HaltedError
from onchain_exec.oms import Journal, SwitchState
from onchain_exec.venues.pool import list_protocols

SALES = (
    Request("WETH", "USDC", "2", max_slippage_bps=50),
    Request("WETH", "DAI", "1", max_slippage_bps=50),
)
BASKET = {"WETH": "1", "DAI": "100"}
TRADES: dict[str, Callable[[Desk], object]] = {
    "sell": lambda desk: desk.sell("WETH", "1", buy="USDC"),
    "together": lambda desk: desk.submit_all(*SALES),
    "basket": lambda desk: desk.quote_basket(BASKET, "USDC", max_slippage_bps=50),
}


def open_desk(fork: Sandbox, path: Path, **options: Any) -> Desk:
    return Desk.connect(fork.url, signer=LocalSigner(fork.trader.key), journal=path, **options)


def stop(path: Path, *venues: str) -> None:
    """Stop venues as another process does."""
    with Journal.open(path) as journal:
        for venue in venues:
            journal.append_switch(f"venue:{venue}", SwitchState.KILLED, "a drill")


@pytest.mark.parametrize("trade", TRADES)
def test_every_trade_with_pools_ends_while_swaps_are_stopped(
    fork: Sandbox, tmp_path: Path, trade: str
) -> None:
    with open_desk(fork, tmp_path / "j") as desk:
        stop(tmp_path / "j", "swaps")
        with pytest.raises(HaltedError, match=r"venue:swaps is KILLED .*a drill"):
            TRADES[trade](desk)
        assert not any(order.slots for order in desk.orders())


@pytest.mark.parametrize("stopped", [None, "swaps"])
def test_execute_quote_through_a_venue_that_was_stopped_since_signs_nothing(
    fork: Sandbox, tmp_path: Path, stopped: str | None
) -> None:
    with open_desk(fork, tmp_path / "j") as desk:
        quote = desk.quote("WETH", "USDC", "1", max_slippage_bps=50)
        stop(tmp_path / "j", stopped or list_protocols(quote.route.hops)[-1])
        with pytest.raises(HaltedError, match="a drill"):
            desk.execute(quote)
        assert not any(order.slots for order in desk.orders())


def test_submit_all_through_a_venue_that_was_stopped_since_they_were_quoted_signs_nothing(
    fork: Sandbox, tmp_path: Path
) -> None:
    def stop_all(step: Step, made: object) -> None:
        if step is Step.SIMULATED:
            stop(tmp_path / "j", "uniswap_v2", "uniswap_v3")

    profile = with_few_venues(fork.profile)
    with open_desk(fork, tmp_path / "j", profile=profile, observe=stop_all) as desk:
        with pytest.raises(HaltedError, match="venue:uniswap_v"):
            desk.submit_all(*SALES[:1], SALES[0])
        assert not any(order.slots for order in desk.orders())
