"""The engine on a local chain with the real protocols: the same path, real contracts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from onchain_exec import LocalSigner, OrderState, Policy
from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.desk import ignore
from onchain_exec.app.engine import DeskPath, Engine, Lane, MarketPrices, ParentRequest
from onchain_exec.app.path.routers import list_executable
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.app.prices import read_price
from onchain_exec.app.request import Request
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.core import Call, Condition, Exact
from onchain_exec.errors import InputError
from onchain_exec.oms import SwitchState, get_venue_scope
from onchain_exec.venues.erc20 import BALANCE_OF


@pytest.fixture
async def engine(fork: Sandbox, tmp_path: Path) -> AsyncIterator[Engine]:
    signer = LocalSigner(fork.trader.key, chain_id=fork.chain.chain_id)
    opening = Opening(
        fork.url, lambda _: signer, tmp_path / "journal.sqlite", Policy(), ignore, profile=fork.profile
    )
    async with AsyncExitStack() as resources:
        context = await opening.open(resources)
        yield Engine(context.journal, [Lane(context, {signer.address: signer}, DeskPath(context))])


def sell(amount: str, name: str, **terms: object) -> ParentRequest:
    trade = Request("WETH", "USDC", amount, None, Exact.IN, 100, name)
    return ParentRequest(trade, good_for_s=3_600, **terms)  # type: ignore[arg-type]


async def test_turn_orders_are_filled_by_real_pools_and_the_books_agree(fork, engine):
    (lane,) = engine.lanes
    await submit(engine, sell("1", "market"))
    await submit(engine, sell("1", "far", limit_price=Decimal(10**6)))
    for _ in range(6):
        await engine.turn(lane)
        fork.chain.mine()
    assert engine.journal.find_parent("market").state is OrderState.FILLED
    assert engine.journal.find_parent("far").children == ()


@pytest.mark.parametrize("price", [2000.1, "2000", Decimal("nan")])
@pytest.mark.parametrize("name", ["limit_price", "stop_price"])
async def test_resolve_of_a_price_that_is_no_finite_decimal_is_refused(name, price, engine):
    with pytest.raises(InputError, match="needed: a Decimal"):
        await sell("1", "one", **{name: price}).resolve(engine.lanes[0])


async def test_turn_stop_order_waits_for_the_price_that_all_sources_tell(fork, engine):
    (lane,) = engine.lanes
    head = await lane.context.node.get_block()
    weth, usdc = fork.profile.tokens["WETH"], fork.profile.tokens["USDC"]
    price = await MarketPrices(lane.context).read_price(weth, usdc, head)
    protocols = list_executable(fork.profile)
    pools = await find_pools(lane.context.node, fork.profile, [(weth, usdc)], head, protocols)
    told = await read_price(lane.context.node, fork.profile, (weth, usdc), pools, head)
    assert (price, len(told.sources) > 1) == (told.price, True)

    watched = replace(lane, prices=MarketPrices(lane.context))
    whole = Decimal(price.numerator) / price.denominator * 10**12
    await submit(engine, sell("1", "above", stop_price=whole * Decimal("1.01")))
    await submit(engine, sell("1", "below", stop_price=whole * Decimal("0.9")))
    for _ in range(3):
        await engine.turn(watched)
        fork.chain.mine()
    assert engine.journal.find_parent("above").state is OrderState.FILLED
    assert engine.journal.find_parent("below").children == ()


async def test_turn_child_that_would_break_its_parents_condition_denies_both(fork, engine):
    (lane,) = engine.lanes
    usdc = fork.profile.tokens["USDC"].address
    balance = Call(usdc, BALANCE_OF.encode(fork.trader.address))
    request = sell("1", "bound")
    held = replace(request, trade=replace(request.trade, conditions=[Condition.at_most(balance, 0)]))
    await submit(engine, held)
    for _ in range(2):
        await engine.turn(lane)
    view = engine.journal.find_parent("bound")
    assert (view.state, view.failure.code) == (OrderState.DENIED, "CONDITION_FAILED")


async def test_turn_paused_venue_is_not_traded_through(fork, engine):
    (lane,) = engine.lanes
    engine.journal.append_switch(get_venue_scope("uniswap_v3"), SwitchState.PAUSED, "a test")
    await submit(engine, sell("1", "one"))
    await engine.turn(lane)
    child = engine.journal.read_orders()[0].order
    quote = await lane.path.quote(child, await lane.context.node.get_block())
    assert "uniswap_v3" not in {hop.pool.key.partition(":")[0] for hop in quote.route.hops}


async def test_turn_while_swaps_are_stopped_begins_nothing_and_goes_on_after(fork, engine):
    (lane,) = engine.lanes
    engine.journal.append_switch(get_venue_scope("swaps"), SwitchState.KILLED, "a test")
    await submit(engine, sell("1", "one"))
    await engine.turn(lane)
    assert engine.journal.read_orders() == ()
    engine.journal.append_switch(get_venue_scope("swaps"), SwitchState.RUNNING)
    for _ in range(3):
        await engine.turn(lane)
        fork.chain.mine()
    assert engine.journal.find_parent("one").state is OrderState.FILLED


async def test_readme_program_begins_the_first_slice(fork, engine):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    programs = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    (program,) = (text for text in programs if "sell_by_and_by" in text)
    scope = {}
    exec(compile(program, "README.md", "exec"), scope)
    view = await scope["sell_by_and_by"](engine)
    for _ in range(4):
        await engine.turn(engine.lanes[0])
        fork.chain.mine()
    shown = engine.journal.find_parent(view.parent.client_order_id)
    assert (shown.state, shown.filled) == (OrderState.PARTIAL, 10**18)


async def submit(engine, request):
    engine.submit(await request.resolve(engine.lanes[0]))
