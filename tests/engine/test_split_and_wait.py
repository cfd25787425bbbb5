"""An engine that may split and wait does so where that is expected to cost less, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from engine.relay_matrix import SETTINGS, Behaviour, Cell

from onchain_exec.app.channels import choice
from onchain_exec.execution.channels import Channel, ChannelPolicy, Stakes
from onchain_exec.oms import OrderState
from onchain_exec.oms.book.book import Book
from onchain_exec.routing import Quote

PUBLIC = SETTINGS[0]


def run(monkeypatch: pytest.MonkeyPatch, weigh: Callable[[Quote], Stakes], policy: ChannelPolicy) -> Book:
    """Run an order to its end that stands to lose what ``weigh`` says."""
    monkeypatch.setattr(choice, "get_stakes", lambda quote, *_, **__: weigh(quote))
    cell = Cell(PUBLIC, (Behaviour.INCLUDED,), most_fills=9)
    cell.policy = replace(cell.policy, channels=policy)
    return cell.run()


def test_engine_that_may_split_trades_in_parts_as_long_as_that_saves_more_than_its_gas(monkeypatch):
    def weigh(quote: Quote) -> Stakes:
        return Stakes(0, gas_cost=10**5, gas_cost_later=10**5, impact_cost=(quote.amount_in // 10**15) ** 2)

    policy = ChannelPolicy(frozenset({Channel.PUBLIC, Channel.SPLIT}), parts=2)
    book = run(monkeypatch, weigh, policy)
    sizes = [view.order.amount for view in book.orders.values() if view.order]
    assert sizes == [500 * 10**15, 250 * 10**15, 250 * 10**15]
    assert {view.state for view in book.orders.values()} == {OrderState.FILLED}


def test_engine_that_may_wait_for_cheaper_gas_waits_the_policys_blocks_and_no_longer(monkeypatch):
    dear = Stakes(0, gas_cost=1_000, gas_cost_later=1)
    monkeypatch.setattr(choice, "_forecast_gas", no_forecast)
    policy = ChannelPolicy(frozenset({Channel.PUBLIC, Channel.WAIT}), wait_blocks=3)
    book = run(monkeypatch, lambda _: dear, policy)
    (view,) = book.orders.values()
    assert view.state is OrderState.FILLED
    assert view.decision is not None
    assert view.decision.channel is Channel.PUBLIC
    assert dict(view.decision.excluded)[Channel.WAIT] == "it has waited"
    assert view.decision.block_number == 3


async def no_forecast(*_: object) -> Fraction:
    return Fraction(1)
