"""Reconciliation and recovery against a real chain: what the journal missed, and what the chain undid.

Catalogue entries 17 (foreign use of our key), 51, 53, 59.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from oms.builders import (
    CHAIN_ID,
    TRADER,
    USDC,
    WETH,
    make_approved,
    make_order,
    make_plan,
    make_quote,
    sign_plan,
)
from oms.paper_market import open_market, recipient_of, sign_cancel, sign_raw, sign_swap
from onchain_exec.chain import DevAccount, LocalChain, Node
from onchain_exec.core import Order
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import ConfigError, InputError, NodeUnreachableError
from onchain_exec.execution.confirm import confirm
from onchain_exec.execution.outcome import Accepted, AlreadyKnown, Ambiguous, Mined, Rejected
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.execution.send import send
from onchain_exec.oms import BreakCode, Journal, OrderState, SlotKey, SlotState, reconcile, recover
from onchain_exec.testing.lying_node import LyingNode
from onchain_exec.venues.erc20 import APPROVE

NOW = 1_900_000_000
QUOTED = 2_000 * 10**6
SEND = "eth_sendRawTransaction"


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(chain_id=CHAIN_ID, extra=("--slots-in-an-epoch", "4")) as chain:
        open_market(chain)
        chain.mine(2)
        yield chain


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        yield journal


@pytest.fixture
async def node(chain: LocalChain):
    node = await Node.connect(chain.url, CHAIN_ID)
    yield node
    await node.close()


@dataclass
class Desk:
    """A trader on the chain who writes the journal as a run does, as far as told."""

    chain: LocalChain
    node: Node
    journal: Journal
    trader: DevAccount
    number: int = 0

    async def sign(
        self, *, reverts: bool = False, paid: int = QUOTED, private: bool = False, **terms: object
    ) -> DurableTx:
        """Take a new order to where its swap bytes are durable."""
        self.number += 1
        recipient = recipient_of(id(self) + self.number)
        order = make_order(self.number, account=self.trader.address, recipient=recipient, **terms)
        self.journal.append_order(order, make_quote(order))
        floor = await self.node.get_nonce(self.trader.address)
        nonce = self.journal.reserve_nonce(CHAIN_ID, self.trader.address, order.order_id, Purpose.SWAP, floor)
        signed = sign_swap(self.trader.key, order, nonce, paid, reverts=reverts)
        return self.journal.write_signed(order.order_id, signed, private=private)

    def order(self, durable: DurableTx) -> Order:
        order = self.journal.read_order(durable.order_id).order
        assert order is not None
        return order

    def state(self, durable: DurableTx) -> tuple[OrderState, SlotState]:
        slot = self.journal.read_slot(SlotKey(CHAIN_ID, durable.sender, durable.nonce))
        return self.journal.read_order(durable.order_id).state, slot.state

    async def send(self, durable: DurableTx) -> None:
        await send(self.node, durable)
        self.chain.settle()

    async def send_raw(self, raw: bytes) -> str:
        tx_hash = await self.node.send_raw_transaction(raw)
        self.chain.settle()
        return tx_hash

    async def record(self, durable: DurableTx) -> None:
        self.journal.append_outcome(durable, await confirm(self.node, durable, 1, 1, 0.01))


@pytest.fixture
def desk(chain: LocalChain, node: Node, journal: Journal) -> Desk:
    return Desk(chain, node, journal, chain.accounts[1])


async def test_reconcile_fill_that_was_not_recorded_is_appended_once(desk):
    durable = await desk.sign(paid=QUOTED - 10**6)
    await desk.send(durable)
    first = await reconcile(desk.node, desk.journal)
    assert [event.kind.value for event in first.corrections] == ["tx_mined"]
    assert first.breaks == ()
    fill = first.orders[0].fill
    assert fill is not None
    assert (fill.amount_in, fill.amount_out, fill.slippage_bps) == (10**18, QUOTED - 10**6, 5)
    receipt = await desk.node.get_receipt(durable.tx_hash)
    assert receipt is not None
    assert fill.gas_cost_wei == receipt.cost_wei
    second = await reconcile(desk.node, desk.journal)
    assert (second.corrections, second.orders) == ((), first.orders)


async def test_reconcile_what_was_recorded_by_hand_equals_what_it_would_record(desk, tmp_path):
    durable = await desk.sign()
    await desk.send(durable)
    await desk.record(durable)
    found = await reconcile(desk.node, desk.journal)
    assert (found.corrections, found.breaks) == ((), ())
    assert desk.state(durable) == (OrderState.FILLED, SlotState.MINED)


async def test_reconcile_bytes_never_sent_stays_working(desk):
    durable = await desk.sign()
    found = await reconcile(desk.node, desk.journal)
    assert (found.corrections, found.breaks) == ((), ())
    assert desk.state(durable) == (OrderState.WORKING, SlotState.SIGNED)


async def test_reconcile_reverted_swap_fails_with_its_reason(desk):
    durable = await desk.sign(reverts=True)
    await desk.send(durable)
    found = await reconcile(desk.node, desk.journal)
    failure = found.orders[0].failure
    assert failure is not None
    assert (found.orders[0].state, failure.code) == (OrderState.FAILED, "REVERTED")
    assert "no reason given" in failure.found


async def test_reconcile_nonce_taken_by_a_stranger_breaks_and_fails_the_order(desk):
    durable = await desk.sign()
    stranger = sign_raw(desk.trader.key, durable.nonce, desk.trader.address, b"")
    tx_hash = await desk.send_raw(stranger)
    first = await reconcile(desk.node, desk.journal)
    assert [found.code for found in first.breaks] == [BreakCode.FOREIGN_NONCE]
    assert tx_hash in first.breaks[0].found
    assert desk.state(durable) == (OrderState.FAILED, SlotState.FOREIGN)
    second = await reconcile(desk.node, desk.journal)
    assert (second.corrections, second.breaks) == ((), first.breaks)


async def test_reconcile_foreign_use_of_the_key_is_noticed_within_a_block(desk):
    durable = await desk.sign()
    await desk.send(durable)
    assert (await reconcile(desk.node, desk.journal)).breaks == ()
    raw = sign_raw(desk.trader.key, durable.nonce + 1, desk.trader.address, b"")
    await desk.send_raw(raw)
    found = await reconcile(desk.node, desk.journal)
    assert [found.code for found in found.breaks] == [BreakCode.FOREIGN_NONCE]
    assert desk.trader.address in found.breaks[0].found


async def test_reconcile_reserved_nonce_taken_by_a_stranger_leaves_the_order_new(desk):
    order = make_order(account=desk.trader.address)
    desk.journal.append_order(order, make_quote(order))
    floor = await desk.node.get_nonce(order.account)
    nonce = desk.journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, floor)
    await desk.send_raw(sign_raw(desk.trader.key, nonce, order.account, b""))
    found = await reconcile(desk.node, desk.journal)
    assert [found.code for found in found.breaks] == [BreakCode.FOREIGN_NONCE]
    assert desk.journal.read_order(order.order_id).state is OrderState.NEW
    again = desk.journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, nonce + 1)
    assert again == nonce + 1


async def test_reconcile_cancel_that_won_cancels(desk):
    durable = await desk.sign()
    cancel = desk.journal.write_signed(durable.order_id, sign_cancel(desk.trader.key, durable))
    await desk.send(cancel)
    found = await reconcile(desk.node, desk.journal)
    assert found.breaks == ()
    assert desk.state(durable) == (OrderState.CANCELLED, SlotState.REPLACED)
    assert (await reconcile(desk.node, desk.journal)).corrections == ()


async def test_reconcile_cancel_that_lost_fills(desk):
    durable = await desk.sign()
    desk.journal.write_signed(durable.order_id, sign_cancel(desk.trader.key, durable))
    await desk.send(durable)
    await reconcile(desk.node, desk.journal)
    assert desk.state(durable) == (OrderState.FILLED, SlotState.MINED)


async def test_reconcile_after_a_reorg_busts_and_recover_fills_again(desk):
    durable = await desk.sign()
    await desk.send(durable)
    await desk.record(durable)
    desk.chain.reorg(1)
    busted = await reconcile(desk.node, desk.journal)
    assert [event.kind.value for event in busted.corrections] == ["slot_orphaned"]
    assert desk.state(durable) == (OrderState.BUSTED, SlotState.ORPHANED)
    assert desk.journal.read_positions() == {}
    assert desk.journal.read_gas_wei() == {}
    again = await recover(desk.node, desk.journal, NOW)
    assert again.resent == ((durable, Accepted(durable.tx_hash)),)
    desk.chain.settle()
    await reconcile(desk.node, desk.journal)
    assert desk.state(durable) == (OrderState.FILLED, SlotState.MINED)
    assert desk.journal.read_positions() == {
        (CHAIN_ID, desk.trader.address, WETH.address): -(10**18),
        (CHAIN_ID, desk.order(durable).recipient, USDC.address): QUOTED,
    }


async def test_reconcile_after_a_reorg_into_another_block_moves_the_fill(desk):
    durable = await desk.sign()
    await desk.send(durable)
    await desk.record(durable)
    before = desk.journal.read_order(durable.order_id).fill
    desk.chain.request("anvil_reorg", 2, [["0x" + durable.raw.hex(), 1]])
    found = await reconcile(desk.node, desk.journal)
    assert [event.kind.value for event in found.corrections] == ["slot_orphaned", "tx_mined"]
    after = found.orders[0].fill
    assert before is not None
    assert after is not None
    assert after.block_hash != before.block_hash
    assert after.amount_out == before.amount_out


async def test_reconcile_after_a_reorg_in_favour_of_a_stranger_fails_the_order(desk):
    durable = await desk.sign()
    await desk.send(durable)
    await desk.record(durable)
    stranger = sign_raw(desk.trader.key, durable.nonce, desk.trader.address, b"", tip_wei=5 * 10**9)
    desk.chain.request("anvil_reorg", 1, [["0x" + stranger.hex(), 0]])
    found = await reconcile(desk.node, desk.journal)
    assert [found.code for found in found.breaks] == [BreakCode.FOREIGN_NONCE]
    assert desk.state(durable) == (OrderState.FAILED, SlotState.FOREIGN)
    assert desk.journal.read_positions() == {}


async def test_reconcile_on_a_node_that_is_behind_undoes_nothing(desk):
    durable = await desk.sign()
    with desk.chain.fork() as lagging:
        await desk.send(durable)
        await desk.record(durable)
        behind = await Node.connect(lagging.url, CHAIN_ID)
        found = await reconcile(behind, desk.journal)
        await behind.close()
    assert [found.code for found in found.breaks] == [BreakCode.NODE_BEHIND]
    assert found.corrections == ()
    assert desk.state(durable) == (OrderState.FILLED, SlotState.MINED)


async def test_reconcile_receipt_withheld_undoes_nothing(desk):
    durable = await desk.sign()
    await desk.send(durable)
    await desk.record(durable)
    found = await reconcile(_WithoutReceipts(desk.node.rpc, CHAIN_ID), desk.journal)
    assert [found.code for found in found.breaks] == [BreakCode.RECEIPT_MISSING]
    assert found.corrections == ()


async def test_reconcile_amounts_recorded_from_incomplete_logs_break(desk):
    durable = await desk.sign()
    await desk.send(durable)
    mined = await confirm(desk.node, durable, 1, 1, 0.01)
    assert isinstance(mined, Mined)
    receipt = mined.receipt
    desk.journal.append_outcome(durable, Mined(replace(receipt, logs=receipt.logs[:1]), 1))
    found = await reconcile(desk.node, desk.journal)
    assert [found.code for found in found.breaks] == [BreakCode.FILL_DIFFERS]
    assert str(QUOTED) in found.breaks[0].found


async def test_reconcile_finalised_consumers_close_their_slots(desk):
    filled, failed = await desk.sign(), await desk.sign(reverts=True)
    for durable in (filled, failed):
        await desk.send(durable)
    desk.chain.mine(12)
    found = await reconcile(desk.node, desk.journal)
    assert all(order.final for order in found.orders)
    assert desk.state(filled) == (OrderState.FILLED, SlotState.FINAL)
    assert desk.state(failed) == (OrderState.FAILED, SlotState.FINAL)
    assert (await reconcile(desk.node, desk.journal)).corrections == ()


async def test_reconcile_deep_consumers_are_confirmed(chain, node, tmp_path, desk):
    with Journal.open(tmp_path / "shallow.sqlite", confirmed_depth=2) as journal:
        desk.journal = journal
        durable = await desk.sign()
        await desk.send(durable)
        await reconcile(node, journal)
        assert desk.state(durable)[1] is SlotState.MINED
        chain.mine(1)
        await reconcile(node, journal)
        assert desk.state(durable)[1] is SlotState.CONFIRMED


async def test_reconcile_gap_below_a_waiting_transaction_breaks(desk, tmp_path):
    floor = await desk.node.get_nonce(desk.trader.address)
    lost = make_order(99, account=desk.trader.address)
    with Journal.open(tmp_path / "journal.sqlite") as crashed:
        crashed.append_order(lost, make_quote(lost))
        crashed.reserve_nonce(CHAIN_ID, lost.account, lost.order_id, Purpose.SWAP, floor)
        durable = await desk.sign()
        assert durable.nonce == floor + 1
    found = await reconcile(desk.node, desk.journal)
    assert [(found.code, found.order_id) for found in found.breaks] == [(BreakCode.NONCE_GAP, lost.order_id)]
    filler = await desk.sign()
    assert filler.nonce == floor
    assert (await reconcile(desk.node, desk.journal)).breaks == ()


async def test_reconcile_allowance_is_named_when_nothing_needs_it_or_it_exceeds_the_grant(desk):
    token, spender, granted = WETH.address, recipient_of(1), 10**18
    desk.chain.set_code(token, bytes.fromhex("5f545f5260205ff3"))  # answers what its storage holds
    order = make_order(1, account=desk.trader.address)
    desk.journal.append_order(order, make_quote(order))
    nonce = desk.journal.reserve_nonce(CHAIN_ID, desk.trader.address, "order-1", Purpose.ALLOWANCE, 0)
    plan = make_plan(make_approved(order), Purpose.ALLOWANCE, desk.trader.address)
    raw = sign_raw(desk.trader.key, nonce, token, APPROVE.encode(spender, granted))
    durable = desk.journal.write_signed("order-1", sign_plan(plan, nonce, raw))
    await desk.send(durable)

    async def find_breaks(stands: int) -> list[BreakCode]:
        word = "0x" + stands.to_bytes(32, "big").hex()
        desk.chain.request("anvil_setStorageAt", token, "0x0", word)
        desk.chain.mine()
        found = await reconcile(desk.node, desk.journal)
        assert all(spender in known.found for known in found.breaks)
        return [known.code for known in found.breaks]

    assert await find_breaks(granted) == []
    assert await find_breaks(granted + 1) == [BreakCode.ALLOWANCE_DIFFERS]
    desk.journal.append_failure("order-1", InputError("the swap cannot be built"))
    assert await find_breaks(granted) == [BreakCode.ALLOWANCE_LEFT]
    assert await find_breaks(0) == []


async def test_reconcile_leaves_other_chains_alone(desk):
    durable = await desk.sign()
    await desk.send(durable)
    with LocalChain.start(chain_id=CHAIN_ID + 1) as other:
        elsewhere = await Node.connect(other.url)
        found = await reconcile(elsewhere, desk.journal)
        await elsewhere.close()
    assert found.corrections == ()
    assert desk.state(durable)[0] is OrderState.WORKING


async def test_reconcile_json_is_what_scripts_read(desk):
    durable = await desk.sign()
    await desk.send(durable)
    document = (await reconcile(desk.node, desk.journal)).to_json()
    (order,) = document["orders"]
    assert document["breaks"] == []
    assert (order["id"], order["client_order_id"]) == ("order-1", "client-1")
    assert (order["state"], order["tx_hash"]) == ("FILLED", durable.tx_hash)
    assert order["fill"]["amount_out"] == str(QUOTED)


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


class _WithoutReceipts(Node):
    """A node whose receipts lag behind its blocks."""

    async def get_receipt(self, tx_hash: str) -> None:
        return None

    async def get_receipts(self, tx_hashes: Sequence[str]) -> tuple[None, ...]:
        return (None,) * len(tx_hashes)
