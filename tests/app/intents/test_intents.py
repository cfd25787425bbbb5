"""Orders that go out as intents, against the real contract, our server's book and our solver: filled once or
not at all, never beside a swap, and the journal agrees with the chain to the unit."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app.intents.intent_stage import MAKER_TOKEN, ONE_WETH, World
from few_venues import without

from onchain_exec.app.channels.choice import decide_channel
from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.intents.waiting import show
from onchain_exec.app.path.recover import resume_all
from onchain_exec.app.solver import cancel_lane
from onchain_exec.clearing.settle import Domain, Signed
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.core import Address, Call, Condition, to_address
from onchain_exec.errors import ConfigError, OrderBookError, OrderRefusedError, UnsupportedOrderError
from onchain_exec.execution.channels import Channel
from onchain_exec.oms import EVERYTHING, OrderState, OrderView, SwitchState, reconcile
from onchain_exec.oms.breaks import BreakCode
from onchain_exec.venues.erc20 import read_balances

README = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
CONDITION = Condition.at_least(Call(to_address("0x" + "66" * 20), b"1234"), 1)


def find_program(name: str) -> Callable[..., OrderView]:
    """Return the function that a program of the README defines."""
    (program,) = (text for text in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if name in text)
    scope: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), scope)
    return scope[name.removeprefix("def ")]


class PaperBook:
    """Says what it is told to say, and shows nothing to anybody."""

    def __init__(self, domain: Domain, error: Exception | None = None) -> None:
        self.domain, self.error = domain, error
        self.posted: list[OpenOrder] = []
        self.withdrawn: list[bytes] = []

    async def describe(self) -> Domain:
        return self.domain

    async def post(self, intent: OpenOrder) -> None:
        self.posted.append(intent)
        if self.error:
            raise self.error

    async def withdraw(self, digest: bytes, word: Signed) -> None:
        self.withdrawn.append(digest)


async def sell(desk: AsyncDesk, name: str = "one") -> OrderView:
    """Sell 1 WETH; a desk that waits for nothing long is asked again until its approval is mined."""
    while True:
        view = await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=100, client_order_id=name)
        if view.state is not OrderState.NEW:
            return view


async def test_readme_sale_by_intent_is_settled_to_the_unit(world: World):
    desk, context = await world.open()
    node, deployment = context.node, world.sandbox.deployment
    since = await node.get_block()
    where = {
        "rpc_url": world.sandbox.url,
        "private_key": world.key,
        "journal": str(world.journal),
        "intent_book": world.url,
        "intent_book_token": MAKER_TOKEN,
    }
    view = await world.settling(asyncio.to_thread(find_program("def sell_by_intent"), **where))

    assert view.state is OrderState.FILLED
    assert view.decision.channel is Channel.INTENT
    assert view.intent.answer == "taken"
    (fill,) = await world.list_fills()
    assert (view.fill.amount_in, view.fill.amount_out) == (fill.amount_in, fill.amount_out)
    assert view.tx_hash == view.fill.tx_hash == fill.log.tx_hash
    assert fill.amount_in == ONE_WETH
    assert fill.amount_out >= view.intent.terms.amount_out
    weth, usdc = deployment.tokens["WETH"], deployment.tokens["USDC"]
    assert context.journal.read_positions() == {
        (context.node.chain_id, world.owner, weth.address): -ONE_WETH,
        (context.node.chain_id, world.owner, usdc.address): fill.amount_out,
    }
    found = await reconcile(node, context.journal, since=since)
    assert found.breaks == ()
    world.require_no_swap(context)
    assert (await sell(desk)).fill == view.fill
    record = context.journal.read_records()[Channel.INTENT.value]
    assert (record.included, record.seen) == (1, 1)

    world.sandbox.chain.mine(100)
    await reconcile(node, context.journal)
    assert context.journal.read_order(view.order_id).final
    assert context.journal.intents.read_unsettled(node.chain_id) == ()


async def test_intent_that_a_solver_of_the_same_account_and_journal_settles_is_counted_once(world: World):
    trader, tokens = world.sandbox.trader, world.sandbox.deployment.tokens
    journal = world.journal.with_name("solver.sqlite")
    desk, context = await world.open(key=trader.key, journal=journal)
    node, since = context.node, await context.node.get_block()

    async def read_moved() -> dict[tuple[int, Address, Address], int]:
        """Return what the chain moved of the trader's, in the words of positions."""
        moved = dict[tuple[int, Address, Address], int]()
        for token in (tokens["WETH"], tokens["USDC"]):
            before, after = [
                (await node.perform(read_balances(trader.address, (token,)), block))[0]
                for block in (since, await node.get_block())
            ]
            moved |= (
                {(node.chain_id, trader.address, token.address): after - before} if after != before else {}
            )
        return moved

    view = await world.settling(sell(desk))
    assert view.state is OrderState.FILLED
    assert view.fill.amount_in == ONE_WETH
    assert view.fill.tx_hash in {other.tx_hash for other in await desk.orders() if other.action}
    assert (await reconcile(node, context.journal, since=since)).breaks == ()
    assert context.journal.read_positions() == await read_moved()
    world.sandbox.chain.request("anvil_reorg", 1, [])
    await reconcile(node, context.journal)
    assert context.journal.read_positions() == await read_moved() == {}


@pytest.mark.deep
async def test_buy_by_intent_gets_exactly_what_was_asked(world: World):
    desk, context = await world.open()
    view = await world.settling(desk.buy("USDC", "1000", sell="WETH", max_slippage_bps=100))
    assert view.state is OrderState.FILLED
    assert view.fill.amount_out == 1_000 * 10**6
    assert view.fill.amount_in <= view.intent.terms.amount_in
    world.require_no_swap(context)


@pytest.mark.deep
async def test_intents_side_by_side_share_an_allowance_for_all(world: World):
    desk, context = await world.open(confirm_timeout_s=0.01)
    views = [await sell(desk, name) for name in ("one", "two")]
    assert [view.state for view in views] == [OrderState.WORKING] * 2
    assert len({view.intent.terms.lane for view in views}) == 2
    found = await reconcile(context.node, context.journal)
    assert found.breaks == ()  # what they need of the allowance is needed
    await world.settle()
    await resume_all(context)
    assert {context.journal.read_order(view.order_id).state for view in views} == {OrderState.FILLED}
    assert len(await world.list_fills()) == 2


@pytest.mark.deep
@pytest.mark.parametrize(
    "error",
    [
        None,
        OrderBookError("HTTP 503"),
        OrderRefusedError("expired", "late"),
    ],
    ids=["taken", "no answer", "refused"],
)
async def test_book_that_shows_nobody_leaves_an_expired_order(world: World, error: Exception | None):
    book = PaperBook(world.solving.place.domain, error)
    desk, context = await world.open(book, confirm_timeout_s=0.01)
    view = await sell(desk)
    assert view.state is OrderState.WORKING
    assert view.intent.answer == {None: "taken", OrderBookError: "no answer"}.get(
        error and type(error), "refused"
    )
    await resume_all(context)
    assert len(set(book.posted)) == 1  # the same bytes, however often
    assert (len(book.posted) == 1) is (error is None)
    world.pass_deadline(view)
    await resume_all(context)
    view = await desk.order("one")
    assert view.state is OrderState.EXPIRED
    assert view.failure.code == "LAPSED"
    assert await world.list_fills() == ()
    world.require_no_swap(context)
    codes = {found.code for found in (await reconcile(context.node, context.journal)).breaks}
    assert codes == {BreakCode.ALLOWANCE_LEFT}


async def test_book_of_another_contract_is_refused_before_anything_is_signed(world: World):
    other = replace(world.solving.place.domain, contract=to_address("0x" + "77" * 20))
    desk, context = await world.open(PaperBook(other))
    with pytest.raises(ConfigError, match="0x7777"):
        await sell(desk)
    (view,) = context.journal.read_orders()
    assert view.state is OrderState.REJECTED
    assert context.journal.read_slots() == ()


async def test_intent_is_chosen_by_its_numbers_and_never_under_private_only(world: World):
    desk, context = await world.open(PaperBook(world.solving.place.domain))
    quote = await desk.quote("WETH", "USDC", "1", max_slippage_bps=100)
    allowed = replace(context.policy.channels, allowed=frozenset({Channel.PUBLIC, Channel.INTENT}))
    both = replace(context, policy=replace(context.policy, channels=allowed))
    found = decide_channel(both, quote, quote.block)
    costs = {estimate.channel: estimate.cost for estimate in found.estimates}
    assert found.channel is min(costs, key=costs.__getitem__)
    assert costs.keys() == {Channel.PUBLIC, Channel.INTENT}
    for context, why in (
        (replace(both, intent_book=None), "no book of signed orders (intent_book)"),
        (replace(both, signer=None), "the signer signs no messages"),
        (replace(both, profile=without(both.profile, "onchain_exec")), "the chain lists no Settle contract"),
    ):
        assert dict(decide_channel(context, quote, quote.block).excluded)[Channel.INTENT] == why
    context.journal.append_switch("venue:settle", SwitchState.PAUSED, "a drill")
    assert (
        dict(decide_channel(both, quote, quote.block).excluded)[Channel.INTENT] == "venue:settle is stopped"
    )
    context.journal.append_switch("venue:settle", SwitchState.RUNNING)
    native = replace(quote, order=replace(quote.order, conditions=(CONDITION,)))
    assert dict(decide_channel(both, native, quote.block).excluded)[Channel.INTENT] == (
        "Settle asks for no conditions"
    )
    channels = replace(allowed, allowed=allowed.allowed | {Channel.PRIVATE})
    strict = replace(both, policy=replace(both.policy, channels=channels, private_only=True))
    with pytest.raises(UnsupportedOrderError, match="intent: private_only"):
        decide_channel(strict, quote, quote.block)


@pytest.mark.deep
async def test_killed_desk_shows_nothing(world: World):
    book = PaperBook(world.solving.place.domain, OrderBookError("HTTP 503"))
    desk, context = await world.open(book, confirm_timeout_s=0.01)
    view = await sell(desk)
    posted = len(book.posted)
    context.journal.append_switch(EVERYTHING, SwitchState.KILLED, "stop")
    await show(context, view.order_id, await context.node.get_block())
    assert len(book.posted) == posted


@pytest.mark.deep
async def test_reorg_takes_a_fill_back_and_the_solver_fills_it_again(world: World):
    desk, context = await world.open()
    view = await world.settling(sell(desk))
    assert view.state is OrderState.FILLED
    world.sandbox.chain.request("anvil_reorg", 1, [])
    await reconcile(context.node, context.journal)
    busted = await desk.order("one")
    assert (busted.state, busted.fill, busted.tx_hash) == (OrderState.BUSTED, None, "")
    assert context.journal.read_positions() == {}
    await resume_all(world.solving.context)  # the solver finds its settlement gone, and sends it again
    await resume_all(context)
    again = await desk.order("one")
    assert again.state is OrderState.FILLED
    assert len(await world.list_fills()) == 1
    assert (await reconcile(context.node, context.journal)).breaks == ()


@pytest.mark.deep
async def test_reorg_takes_a_lapse_back(world: World):
    desk, context = await world.open(confirm_timeout_s=0.01)
    view = await sell(desk)
    chain = world.sandbox.chain
    start, head = chain.request("evm_snapshot"), await context.node.get_block()
    world.pass_deadline(view)
    await reconcile(context.node, context.journal)
    assert (await desk.order("one")).state is OrderState.EXPIRED
    chain.request("evm_revert", start)
    found = await reconcile(context.node, context.journal)
    codes = [one.code for one in found.breaks if one.order_id]
    assert codes == [BreakCode.NODE_BEHIND, BreakCode.ALLOWANCE_LEFT]
    chain.request("evm_setNextBlockTimestamp", head.timestamp + 12)
    chain.mine()
    await reconcile(context.node, context.journal)
    assert (await desk.order("one")).state is OrderState.WORKING
    await world.settle()
    await resume_all(context)
    assert (await desk.order("one")).state is OrderState.FILLED
    assert len(await world.list_fills()) == 1


@pytest.mark.deep
@pytest.mark.parametrize("paused", [False, True])
async def test_cancel_before_the_solver_passes_the_lane(world: World, paused: bool):
    desk, context = await world.open(confirm_timeout_s=0.01)
    view = await sell(desk)
    context.journal.append_cancel(view.order_id)
    if paused:  # what was signed is looked after: nobody is left with a promise that cannot be taken back
        context.journal.append_switch(EVERYTHING, SwitchState.PAUSED, "a drill")
    assert (await desk.order("one")).state is OrderState.CANCEL_PENDING
    await resume_all(context)
    world.sandbox.chain.settle()
    await resume_all(context)
    assert (await desk.order("one")).state is OrderState.CANCELLED
    assert (await world.solving.solver.take_turn()).settlement is None
    assert await world.list_fills() == ()
    world.require_no_swap(context)


async def test_cancel_after_the_fill_leaves_it_filled(world: World):
    desk, context = await world.open(confirm_timeout_s=0.01)
    view = await sell(desk)
    await world.settle()
    context.journal.append_cancel(view.order_id)
    await cancel_lane(context, view.intent.terms.lane, 1)  # too late: the lane only looks untouched by a fill
    world.sandbox.chain.settle()
    await resume_all(context)
    view = await desk.order("one")
    assert view.state is OrderState.FILLED
    assert view.fill.amount_in == ONE_WETH
    assert len(await world.list_fills()) == 1


@pytest.mark.deep
async def test_cancel_races_the_solver_and_one_of_the_two_wins(world: World):
    desk, context = await world.open(confirm_timeout_s=0.01)
    view = await sell(desk)
    context.journal.append_cancel(view.order_id)
    await asyncio.gather(resume_all(context), world.solving.solver.take_turn())
    world.sandbox.chain.settle()
    await resume_all(context)
    view = await desk.order("one")
    fills = await world.list_fills()
    assert (view.state, len(fills)) in {(OrderState.FILLED, 1), (OrderState.CANCELLED, 0)}
