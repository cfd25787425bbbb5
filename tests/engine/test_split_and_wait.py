"""What may split and wait does so where that is expected to cost less, and not for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import pytest
from engine.relay_matrix import SETTINGS, Behaviour, Cell, Setting
from oms.builders import make_block, make_order, make_quote, make_signed

from onchain_exec.app.channels import choice
from onchain_exec.app.channels.attend import outlasts
from onchain_exec.app.path import run as path
from onchain_exec.core import BlockRef
from onchain_exec.errors import NodeError, NodeUnreachableError
from onchain_exec.execution import SimulatedTx
from onchain_exec.execution.channels import Channel, ChannelPolicy, Stakes
from onchain_exec.oms import Journal, OrderState
from onchain_exec.oms.book.book import Book
from onchain_exec.routing import Quote
from onchain_exec.testing.simulated import run_virtually

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


def test_engine_that_may_wait_does_not_where_the_order_would_expire_first(monkeypatch):
    policy = ChannelPolicy(frozenset({Channel.PUBLIC, Channel.WAIT}), wait_blocks=600 // 12)
    monkeypatch.setattr(choice, "_forecast_gas", no_forecast)
    book = run(monkeypatch, lambda _: Stakes(0, gas_cost=1_000, gas_cost_later=1), policy)
    (view,) = book.orders.values()
    assert view.state is OrderState.FILLED
    assert view.decision is not None
    assert dict(view.decision.excluded)[Channel.WAIT] == "it would expire first"


def test_order_that_waits_under_private_only_stays_private_for_a_desk_that_is_not(monkeypatch):
    """The promise was made with the choice to wait: a restart with another policy, under which relays that
    ignore the order would make it public, changes nothing."""
    monkeypatch.setattr(choice, "_forecast_gas", no_forecast)
    stakes = Stakes(10**9, gas_cost=10**6, gas_cost_later=1)
    monkeypatch.setattr(choice, "get_stakes", lambda *_, **__: stakes)
    cell = Cell(Setting("ignored", Channel.PRIVATE, 2), (Behaviour.IGNORED,) * 2, lasts=99, rounds=3)
    waiting = ChannelPolicy(frozenset({Channel.PRIVATE, Channel.WAIT}), wait_blocks=12)
    cell.policy = replace(cell.policy, private_only=True, channels=waiting)
    cell.run_unfinished()
    (view,) = cell.lines.replay().orders.values()
    assert view.decision is not None
    assert (view.decision.channel, view.decision.promised) == (Channel.WAIT, True)
    both = frozenset({Channel.PRIVATE, Channel.PUBLIC})
    public = ChannelPolicy(both, reconsider_blocks=2, fall_back_to_public=True)
    cell.policy, cell.rounds = replace(cell.policy, private_only=False, channels=public), 20
    cell.run_unfinished()
    (view,) = cell.lines.replay().orders.values()
    assert view.tx_hash, "it was signed"
    assert not cell.public.heard


@pytest.mark.parametrize("comes", [False, True])
def test_outlasts_until_a_block_comes_or_the_orders_time_has_passed(comes):
    """A chain that stands still, or a node that never answers, ends the wait at the order's deadline."""
    blocks = [make_block(7)] * 3 + [make_block(8 if comes else 7)] * 1_000
    answers = iter([NodeUnreachableError("no"), *blocks])

    async def get_block(*_: object) -> BlockRef:
        answer = next(answers)
        if isinstance(answer, NodeError):
            raise answer
        return answer

    order = make_order(1)
    now = order.expires_at - 60
    context = SimpleNamespace(node=SimpleNamespace(get_block=get_block), now=lambda: now)
    assert run_virtually(outlasts(context, order, replace(make_block(7), timestamp=now - 9))) is comes


async def wait_always(*_: object) -> SimpleNamespace:
    return SimpleNamespace(channel=Channel.WAIT)


def test_execute_of_an_order_that_waits_on_a_chain_that_stands_still_ends_it_expired(monkeypatch, tmp_path):
    order, head = make_order(1), make_block(7)
    quote = make_quote(order)

    async def build_nothing_new(*_: object) -> SimulatedTx:
        return make_signed(order, 0).simulated

    async def stand_still(*_: object) -> BlockRef:
        return head

    monkeypatch.setattr(path, "build", build_nothing_new)
    monkeypatch.setattr(path, "choose_way", wait_always)
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        journal.append_order(order, quote)
        context = SimpleNamespace(
            node=SimpleNamespace(get_block=stand_still),
            now=lambda: order.expires_at - 30,
            journal=journal,
            signer=object(),
        )
        run_virtually(path.execute(context, SimpleNamespace(quote=quote)))
        view = journal.read_order(order.order_id)
    assert view.state is OrderState.EXPIRED
    assert view.failure is not None
    assert view.failure.code == "EXPIRED"


async def no_forecast(*_: object) -> Fraction:
    return Fraction(1)
