"""An order whose approval is not to come ends with it, by whoever notices, and is told so."""

from __future__ import annotations

import pytest

from oms.builders import CHAIN_ID, WETH, make_approved, make_order, make_plan, make_quote, sign_plan
from oms.paper_desk import Desk
from oms.paper_market import ROUTER, recipient_of, sign_cancel, sign_gate, sign_raw
from onchain_exec.execution.delivery.confirm import confirm
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotState, reconcile, recover
from onchain_exec.venues.erc20 import APPROVE

WAYS = ("reverted", "cancelled", "foreign")


async def sign_approval(desk: Desk, *, reverts: bool = False) -> DurableTx:
    """Take an order to where the bytes of its approval are durable. One that reverts calls what does."""
    order = make_order(account=desk.trader.address)
    desk.journal.append_order(order, make_quote(order))
    floor = await desk.node.get_nonce(order.account)
    nonce = desk.journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.ALLOWANCE, floor)
    plan = make_plan(make_approved(order), Purpose.ALLOWANCE, order.account)
    data = APPROVE.encode(recipient_of(1), order.amount)
    raw = sign_raw(desk.trader.key, nonce, ROUTER if reverts else WETH.address, data)
    return desk.journal.write_signed(order.order_id, sign_plan(plan, nonce, raw))


async def fail(desk: Desk, way: str) -> tuple[DurableTx, str]:
    """Let an approval fail on the chain that way; return it with the hash of what took its nonce."""
    if way == "reverted":
        await desk.send_raw(sign_gate(desk.trader.key, await desk.node.get_nonce(desk.trader.address)))
        durable = await sign_approval(desk, reverts=True)
        await desk.send(durable)
        return durable, durable.tx_hash
    durable = await sign_approval(desk)
    if way == "cancelled":
        cancel = desk.journal.write_signed(durable.order_id, sign_cancel(desk.trader.key, durable))
        await desk.send(cancel)
        return durable, cancel.tx_hash
    return durable, await desk.send_raw(sign_raw(desk.trader.key, durable.nonce, durable.sender, b""))


@pytest.mark.parametrize("way", WAYS)
async def test_reconcile_ends_an_order_whose_approval_failed_once_and_says_why(desk, way, tmp_path):
    durable, taker = await fail(desk, way)
    await reconcile(desk.node, desk.journal)
    order = desk.journal.read_order(durable.order_id)
    assert (order.state, order.final) == (OrderState.REJECTED, True)
    assert order.failure is not None
    assert order.failure.code == "APPROVAL_FAILED"
    assert taker in order.failure.found
    assert (await reconcile(desk.node, desk.journal)).corrections == ()
    with Journal.open(tmp_path / "journal.sqlite") as reopened:
        assert reopened.read_order(durable.order_id) == order
        assert (await recover(desk.node, reopened, 0)).unsigned == ()


@pytest.mark.parametrize("way", ["reverted", "foreign"])
async def test_append_outcome_of_a_failed_approval_ends_its_order_as_reconcile_does(desk, way, tmp_path):
    durable, _ = await fail(desk, way)
    outcome = await confirm(desk.node, durable, 1, 1, 0.01)
    ended = desk.journal.append_outcome(durable, outcome)
    assert ended.state is OrderState.REJECTED
    assert (await reconcile(desk.node, desk.journal)).corrections == ()


async def test_reconcile_takes_back_an_approval_that_comes_back_after_its_order_ended(desk):
    """A reorg frees the nonce that a stranger had taken: nobody waits for the approval any more."""
    before = desk.chain.snapshot()
    durable, _ = await fail(desk, "foreign")
    await reconcile(desk.node, desk.journal)
    desk.chain.revert(before)
    desk.chain.mine(2)
    found = await recover(desk.node, desk.journal, 0)
    assert desk.state(durable) == (OrderState.REJECTED, SlotState.ORPHANED)
    assert [slot.key.nonce for slot in found.to_cancel] == [durable.nonce]
    assert found.resent == ()


async def test_reconcile_approval_that_is_mined_leaves_its_order_new(desk):
    durable = await sign_approval(desk)
    await desk.send(durable)
    await reconcile(desk.node, desk.journal)
    assert desk.state(durable) == (OrderState.NEW, SlotState.MINED)
