"""The engine's children go out as intents, one step a turn, and are cancelled by their lanes."""

from __future__ import annotations

import pytest
from app.intents.intent_stage import ONE_WETH, World

from onchain_exec import LocalSigner
from onchain_exec.app.engine import DeskPath, Engine, Lane, ParentRequest
from onchain_exec.app.request import Request
from onchain_exec.core import Exact
from onchain_exec.oms import OrderState, ParentView


async def begin(world: World) -> tuple[Engine, ParentView]:
    """Open an engine on the desk's journal, and take turns until the first child is shown."""
    _, context = await world.open()
    signer = LocalSigner(world.key)
    engine = Engine(context.journal, [Lane(context, {signer.address: signer}, DeskPath(context))])
    request = ParentRequest(Request("WETH", "USDC", "1", None, Exact.IN, 100, "parent"), good_for_s=3_600)
    view = engine.submit(await request.resolve(engine.lanes[0]))
    while not any(child.intent for child in context.journal.read_orders()):
        await engine.turn(engine.lanes[0])
        world.sandbox.chain.settle()
    return engine, view


@pytest.mark.deep
async def test_turns_fill_a_parent_by_an_intent(world: World):
    engine, parent = await begin(world)
    await world.settle()
    await engine.turn(engine.lanes[0])
    view = engine.journal.find_parent(parent.parent.order_id)
    assert (view.state, view.filled) == (OrderState.FILLED, ONE_WETH)
    assert len(await world.list_fills()) == 1
    world.require_no_swap(engine.lanes[0].context)


@pytest.mark.deep
async def test_turns_cancel_a_parent_whose_child_is_shown(world: World):
    engine, parent = await begin(world)
    engine.journal.append_cancel(parent.parent.order_id)
    (child,) = engine.journal.read_children(engine.journal.find_parent(parent.parent.order_id))
    assert child.state is OrderState.CANCEL_PENDING
    for _ in range(3):  # the lane's transaction, its block, and nothing more
        await engine.turn(engine.lanes[0])
        world.sandbox.chain.settle()
    view = engine.journal.find_parent(parent.parent.order_id)
    assert (view.state, view.filled) == (OrderState.CANCELLED, 0)
    assert (await world.solving.solver.take_turn()).settlement is None
    assert await world.list_fills() == ()
    actions = [order for order in engine.journal.read_orders() if order.action]
    assert [order.state for order in actions] == [OrderState.FILLED]
