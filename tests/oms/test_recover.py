"""Start-up is recovery: look first, then the same bytes; what was never signed ends or is named."""

from __future__ import annotations

import pytest

from oms.builders import (
    CHAIN_ID,
    TRADER,
    make_order,
    make_quote,
)
from oms.paper_market import sign_cancel
from onchain_exec.chain import LocalChain, Node
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import ConfigError, NodeUnreachableError
from onchain_exec.execution.delivery.outcome import AlreadyKnown, Ambiguous, Rejected
from onchain_exec.execution.delivery.send import send
from onchain_exec.oms import OrderState, SlotState, reconcile, recover
from onchain_exec.testing.lying_node import LyingNode

NOW = 1_900_000_000
SEND = "eth_sendRawTransaction"


async def test_recover_sends_the_journalled_bytes_in_nonce_order(desk):
    durables = [await desk.sign() for _ in range(3)]
    found = await recover(desk.node, desk.journal, NOW)
    assert [durable for durable, _ in found.resent] == durables
    desk.chain.settle()
    await reconcile(desk.node, desk.journal)
    assert [desk.state(durable)[0] for durable in durables] == [OrderState.FILLED] * 3
    assert (await recover(desk.node, desk.journal, NOW)).resent == ()


async def test_recover_bytes_in_the_pool_are_already_known(desk):
    desk.chain.request("evm_setAutomine", False)
    durable = await desk.sign()
    await send(desk.node, durable)
    found = await recover(desk.node, desk.journal, NOW)
    assert found.resent == ((durable, AlreadyKnown(durable.tx_hash)),)
    assert desk.state(durable) == (OrderState.WORKING, SlotState.SEEN)


async def test_recover_expired_bytes_are_not_sent(desk):
    durable = await desk.sign(expires_at=NOW - 1)
    found = await recover(desk.node, desk.journal, NOW)
    assert found.resent == ()
    assert [slot.key.nonce for slot in found.to_cancel] == [durable.nonce]
    assert await desk.node.get_transaction(durable.tx_hash) is None


async def test_recover_bytes_of_an_order_that_is_to_be_cancelled_are_not_sent(desk):
    durable = await desk.sign()
    desk.journal.append_cancel(durable.order_id)
    found = await recover(desk.node, desk.journal, NOW)
    assert found.resent == ()
    assert [slot.key.nonce for slot in found.to_cancel] == [durable.nonce]
    assert await desk.node.get_transaction(durable.tx_hash) is None


async def test_recover_expired_with_a_cancel_sends_the_cancel(desk):
    durable = await desk.sign(expires_at=NOW - 1)
    cancel = desk.journal.write_signed(durable.order_id, sign_cancel(desk.trader.key, durable))
    found = await recover(desk.node, desk.journal, NOW)
    assert [durable for durable, _ in found.resent] == [cancel]
    desk.chain.settle()
    await reconcile(desk.node, desk.journal)
    assert desk.state(durable)[0] is OrderState.CANCELLED


async def test_recover_unsigned_orders_end_when_expired_and_are_named_when_not(desk):
    late, live = make_order(1, expires_at=NOW - 1), make_order(2)
    for order in (late, live):
        desk.journal.append_order(order, make_quote(order))
    found = await recover(desk.node, desk.journal, NOW)
    assert [view.order for view in found.unsigned] == [live]
    assert desk.journal.read_order(late.order_id).state is OrderState.EXPIRED


async def test_recover_an_unsigned_action_waits_for_its_caller_until_its_time_has_passed(desk):
    order = ActionOrder("a", "supply-1", TRADER, "aave_v3", (VenueCall("supply", TRADER, b""),), (), NOW)
    desk.journal.append_action(order)
    await recover(desk.node, desk.journal, NOW)
    assert desk.journal.read_order("supply-1").state is OrderState.NEW
    await recover(desk.node, desk.journal, NOW + 1)
    view = desk.journal.read_order("supply-1")
    assert (view.state, view.failure.code) == (OrderState.EXPIRED, "EXPIRED")
    nonces = desk.journal.read_slots()
    again = await recover(desk.node, desk.journal, NOW + 2)
    assert (again.reconciliation.corrections, desk.journal.read_slots()) == ((), nonces)


async def test_recover_refused_bytes_stay_open(desk):
    durable = await desk.sign()
    balance = await desk.node.get_balance(desk.trader.address)
    desk.chain.set_balance(desk.trader.address, 0)
    found = await recover(desk.node, desk.journal, NOW)
    desk.chain.set_balance(desk.trader.address, balance)
    assert [type(outcome) for _, outcome in found.resent] in ([Rejected], [Ambiguous])
    assert desk.state(durable)[0] is OrderState.WORKING
    await recover(desk.node, desk.journal, NOW)
    desk.chain.settle()
    await reconcile(desk.node, desk.journal)
    assert desk.state(durable)[0] is OrderState.FILLED


@pytest.fixture
async def relayed(chain: LocalChain):
    """A public node and a private relay before the chain, and the pool of both."""
    with LyingNode.start(chain.url) as public, LyingNode.start(chain.url) as relay:
        node = await Node.connect(f"{public.url} private+{relay.url}", CHAIN_ID)
        yield public, relay, node
        await node.close()


async def test_recover_sends_private_bytes_to_private_endpoints_only(desk, relayed):
    public, relay, node = relayed
    hidden, shown = await desk.sign(private=True), await desk.sign()
    found = await recover(node, desk.journal, NOW)
    assert [durable for durable, _ in found.resent] == [hidden, shown]
    assert [entry.call.params[0] for entry in relay.transcript.of(SEND)] == ["0x" + hidden.raw.hex()]
    assert [entry.call.params[0] for entry in public.transcript.of(SEND)] == ["0x" + shown.raw.hex()]
    desk.chain.settle()
    await reconcile(desk.node, desk.journal)
    assert [desk.state(durable)[0] for durable in (hidden, shown)] == [OrderState.FILLED] * 2


async def test_recover_private_bytes_without_a_private_endpoint_says_so_and_publishes_nothing(desk):
    hidden = await desk.sign(private=True)
    with pytest.raises(ConfigError, match="public"):
        await recover(desk.node, desk.journal, NOW)
    assert await desk.node.get_transaction(hidden.tx_hash) is None


async def test_recover_private_bytes_that_a_reorg_showed_are_to_be_cancelled(desk, relayed):
    _, _, node = relayed
    before = desk.chain.request("evm_snapshot")
    hidden = await desk.sign(private=True)
    await send(node, hidden)
    desk.chain.settle()
    await reconcile(desk.node, desk.journal)
    assert desk.state(hidden) == (OrderState.FILLED, SlotState.MINED)
    desk.chain.request("evm_revert", before)
    desk.chain.mine(3)
    found = await recover(node, desk.journal, NOW)
    assert found.resent == ()
    assert [slot.key.nonce for slot in found.to_cancel] == [hidden.nonce]
    assert desk.state(hidden) == (OrderState.BUSTED, SlotState.ORPHANED)


async def test_recover_without_a_node_sends_nothing_and_says_so(desk):
    durable = await desk.sign()
    with LocalChain.start(chain_id=CHAIN_ID) as gone:
        node = await Node.connect(gone.url)
    with pytest.raises(NodeUnreachableError):
        await recover(node, desk.journal, NOW)
    await node.close()
    assert desk.state(durable) == (OrderState.WORKING, SlotState.SIGNED)
