"""Reconciliation against a real chain: what the journal missed, and what the chain undid.

Catalogue entries 17 (foreign use of our key), 51, 53, 59.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oms.builders import (
    CHAIN_ID,
    USDC,
    WETH,
    make_approved,
    make_order,
    make_plan,
    make_quote,
    sign_plan,
)
from oms.paper_desk import QUOTED
from oms.paper_market import recipient_of, sign_cancel, sign_raw
from onchain_exec.chain import LocalChain, Node
from onchain_exec.errors import InputError
from onchain_exec.execution.delivery.confirm import confirm
from onchain_exec.execution.delivery.outcome import Accepted, Mined
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import BreakCode, Journal, OrderState, SlotState, reconcile, recover
from onchain_exec.oms.book.events import EventKind
from onchain_exec.oms.book.views import AllowanceKey
from onchain_exec.venues.erc20 import APPROVE

NOW = 1_900_000_000


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


async def grant(desk, amount: int) -> None:
    """Let the first order's approval be mined; the token's storage, at 0, is what it answers."""
    desk.chain.set_code(WETH.address, bytes.fromhex("5f545f5260205ff3"))
    order = make_order(1, account=desk.trader.address)
    desk.journal.append_order(order, make_quote(order))
    nonce = desk.journal.reserve_nonce(CHAIN_ID, desk.trader.address, "order-1", Purpose.ALLOWANCE, 0)
    plan = make_plan(make_approved(order), Purpose.ALLOWANCE, desk.trader.address)
    raw = sign_raw(desk.trader.key, nonce, WETH.address, APPROVE.encode(recipient_of(1), amount))
    await desk.send(desk.journal.write_signed("order-1", sign_plan(plan, nonce, raw)))


async def test_reconcile_names_what_an_ended_order_left_of_an_allowance_whatever_else_is_under_way(desk):
    await grant(desk, 10**18)
    desk.chain.request("anvil_setStorageAt", WETH.address, "0x0", "0x" + (10**18).to_bytes(32, "big").hex())
    desk.chain.mine()
    for number, sold in ((2, USDC), (3, WETH)):
        order = make_order(number, account=desk.trader.address, token_in=sold, token_out=WETH)
        if sold == WETH:
            order = replace(order, token_out=USDC, amount=4 * 10**17)
        desk.journal.append_order(order, make_quote(order))
    assert (await reconcile(desk.node, desk.journal)).breaks == ()  # it goes on as soon as it is continued
    desk.journal.append_failure("order-1", InputError("the swap cannot be built"))
    (left,) = (await reconcile(desk.node, desk.journal)).breaks
    assert (left.code, left.order_id) == (BreakCode.ALLOWANCE_LEFT, "order-1")
    assert str(4 * 10**17) in left.expected
    assert f"`onchain-exec approvals --revoke {WETH.address}:{recipient_of(1)}`" in left.todo
    order = make_order(4, account=desk.trader.address)
    desk.journal.append_order(order, make_quote(order))  # it may use what was left
    assert (await reconcile(desk.node, desk.journal)).breaks == ()


async def test_reconcile_allowance_is_named_when_nothing_needs_it_or_it_exceeds_the_grant(desk):
    token, spender, granted = WETH.address, recipient_of(1), 10**18
    await grant(desk, granted)

    async def find_breaks(stands: int) -> list[BreakCode]:
        word = "0x" + stands.to_bytes(32, "big").hex()
        desk.chain.request("anvil_setStorageAt", token, "0x0", word)
        desk.chain.mine()
        found = await reconcile(desk.node, desk.journal)
        assert all(spender in known.found for known in found.breaks)
        (recorded,) = desk.journal.read_allowances(CHAIN_ID).items()
        assert recorded == (AllowanceKey(CHAIN_ID, desk.trader.address, token, spender), stands)
        assert found.corrections[-1].kind is EventKind.ALLOWANCE_FOUND
        assert str(found.corrections[-1]).startswith(f"allowance_found/{recorded[0]}/")
        again = await reconcile(desk.node, desk.journal)
        assert (again.corrections, again.breaks) == ((), found.breaks)
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


class _WithoutReceipts(Node):
    """A node whose receipts lag behind its blocks."""

    async def get_receipt(self, tx_hash: str) -> None:
        return None

    async def get_receipts(self, tx_hashes: Sequence[str]) -> tuple[None, ...]:
        return (None,) * len(tx_hashes)
