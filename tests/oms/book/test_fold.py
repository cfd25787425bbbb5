"""What an event leaves in the book: nothing of an order or a slot is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from oms.builders import (
    BLOCK,
    CHAIN_ID,
    KEEPER,
    OWNER,
    TRADER,
    USDC,
    WETH,
    make_block,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_plan,
)
from onchain_exec.core import Exact, ParentOrder
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import InputError, JournalError
from onchain_exec.execution.channels import Channel, Decision, Stakes
from onchain_exec.execution.delivery.outcome import Accepted, AlreadyKnown, Mined, Rejected
from onchain_exec.execution.plan import DurableTx, Purpose, StandingApproval
from onchain_exec.oms import Failure, Journal, OrderEvent, OrderState, SlotKey, SlotState
from onchain_exec.oms.book.events import Event, EventKind
from onchain_exec.oms.book.fold import fold
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.testing.simulated import Fate, MemoryJournal

FAILED = InputError("a test")
PARENT = ParentOrder("p", "client", (TRADER,), WETH, USDC, 2 * 10**18, Exact.IN, 50, 0, 10**9)
PLACES = (TRADER, WETH.address), (OWNER, USDC.address)


@pytest.fixture
def lines() -> MemoryJournal:
    return MemoryJournal(Fate(0), lambda: 0)


@pytest.fixture
def journal(lines: MemoryJournal) -> Journal:
    return lines.open()


def reserve(journal: Journal, number: int, floor: int = 0, purpose: Purpose = Purpose.SWAP) -> int:
    order = make_order(number)
    journal.append_order(order, make_quote(order))
    return journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, purpose, floor)


def sign(journal: Journal, number: int, purpose: Purpose = Purpose.SWAP) -> DurableTx:
    signed = make_signed(make_order(number), reserve(journal, number, purpose=purpose), purpose)
    return journal.write_signed(f"order-{number}", signed)


def mine(journal: Journal, durable: DurableTx, number: int = 100) -> None:
    receipt = make_receipt(durable.tx_hash, make_order(1), block=make_block(number))
    journal.append_outcome(durable, Mined(receipt, 1))


def key(nonce: int) -> SlotKey:
    return SlotKey(CHAIN_ID, TRADER, nonce)


def test_reserve_that_order_after_order_gave_back_is_each_ones_in_turn(journal: Journal) -> None:
    for number in range(1, 4):
        assert reserve(journal, number) == 0
        journal.append_failure(f"order-{number}", FAILED)
    assert [view.slots for view in journal.read_orders()] == [(), (), (key(0),)]
    assert journal.read_slot(key(0)).order_id == "order-3"


def test_reserve_of_a_nonce_that_was_given_back_leaves_the_later_ones_to_their_orders(
    journal: Journal,
) -> None:
    assert [reserve(journal, number) for number in (1, 2)] == [0, 1]
    sign(journal, 2)
    journal.append_failure("order-1", FAILED)
    assert [reserve(journal, number) for number in (3, 4)] == [0, 2]


def test_reserve_on_a_node_that_lags_behind_what_was_seen_gives_out_no_old_nonce(journal: Journal) -> None:
    assert reserve(journal, 1, floor=5) == 5
    journal.append_failure("order-1", FAILED)
    assert [reserve(journal, 2, floor=7), reserve(journal, 3, floor=5)] == [7, 8]


def test_orphan_of_a_stranger_gives_the_nonce_out_again_and_the_next_stranger_is_seen(
    journal: Journal,
) -> None:
    reserve(journal, 1, floor=5)
    journal.append_failure("order-1", FAILED)
    reserve(journal, 2, floor=6)
    journal.append_failure("order-2", FAILED)
    for stranger in ("0x01", "0x02"):
        journal.append_foreign(journal.read_slot(key(5)), stranger)
        assert journal.read_slot(key(5)).state is SlotState.FOREIGN
        journal.append_orphaned(journal.read_slot(key(5)))
        number = int(stranger, 16) + 2
        assert reserve(journal, number, floor=5) == 5
        journal.append_failure(f"order-{number}", FAILED)


def test_orphan_of_a_stranger_gives_the_nonce_back_to_the_order_that_had_it(journal: Journal) -> None:
    reserve(journal, 1)
    journal.append_foreign(journal.read_slot(key(0)), "0x01")
    journal.append_orphaned(journal.read_slot(key(0)))
    assert sign(journal, 1).nonce == 0


def test_reserve_that_a_stranger_consumed_leaves_its_order_to_begin_again(journal: Journal) -> None:
    reserve(journal, 1)
    journal.append_foreign(journal.read_slot(key(0)), "0x01")
    assert journal.read_order("order-1").state is OrderState.NEW
    journal.append_final(key(0))
    assert not journal.read_order("order-1").final
    assert reserve(journal, 1, floor=1) == 1


def test_sign_of_an_approval_and_a_swap_keeps_both_slots(journal: Journal) -> None:
    sign(journal, 1, Purpose.ALLOWANCE)
    mine(journal, sign(journal, 1))
    assert journal.read_order("order-1").slots == (key(0), key(1))


def test_sign_for_a_higher_fee_is_filled_against_the_quote_that_was_signed_on(journal: Journal) -> None:
    first = sign(journal, 1)
    dearer = journal.write_signed("order-1", sign_plan(make_plan(first), first.nonce, b"dearer"))
    mine(journal, dearer)
    fill = journal.read_order("order-1").fill
    assert fill is not None
    assert (fill.tx_hash, fill.slippage_bps) == (dearer.tx_hash, 0)


def test_send_again_without_a_taker_keeps_who_took_it_before(journal: Journal) -> None:
    durable = sign(journal, 1)
    journal.append_send_outcome(durable, Accepted(durable.tx_hash, takers=("one",)))
    journal.append_send_outcome(durable, AlreadyKnown(durable.tx_hash))
    (attempt,) = journal.read_slot(key(0)).attempts
    assert (attempt.last_send, attempt.takers) == ("AlreadyKnown", ("one",))


def test_send_is_told_of_its_own_attempt_alone(journal: Journal) -> None:
    first = sign(journal, 1)
    journal.append_send_outcome(first, Rejected(first.tx_hash, "underpriced"))
    dearer = journal.write_signed("order-1", sign_plan(make_plan(first), first.nonce, b"dearer"))
    journal.append_send_outcome(dearer, Accepted(dearer.tx_hash))
    told = [(attempt.last_send, attempt.reason) for attempt in journal.read_slot(key(0)).attempts]
    assert told == [("Rejected", "underpriced"), ("Accepted", "")]


def test_approval_that_is_cancelled_or_final_leaves_its_order_open(journal: Journal) -> None:
    approval = sign(journal, 1, Purpose.ALLOWANCE)
    cancel = sign_plan(make_plan(approval, Purpose.CANCEL), approval.nonce)
    journal.write_signed("order-1", cancel)
    assert journal.read_order("order-1").state is OrderState.NEW
    mine(journal, approval)
    journal.append_final(key(0))
    view = journal.read_order("order-1")
    assert (view.state, view.final) == (OrderState.NEW, False)


@pytest.mark.parametrize("success", [True, False])
def test_orphan_takes_back_all_that_was_mined_until_it_is_mined_again(
    lines: MemoryJournal, *, success: bool
) -> None:
    journal, order = lines.open(), make_order(1, recipient=OWNER)
    journal.append_order(order, make_quote(order))
    journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
    durable = journal.write_signed(order.order_id, make_signed(order, 0))
    before = lines.replay()
    for depth in (1, 12):
        journal.append_receipt(
            journal.read_slot(key(0)), make_receipt(durable.tx_hash, order, success=success), depth
        )
        view, book = journal.read_order(order.order_id), lines.replay()
        assert (view.fill is not None, view.failure is None, view.final) == (success, success, False)
        assert set(book.positions) == ({(CHAIN_ID, *place) for place in PLACES} if success else set())
        assert not book.undecided
        journal.append_orphaned(journal.read_slot(key(0)))
        view, book = journal.read_order(order.order_id), lines.replay()
        assert (view.fill, view.failure, view.call_moves) == (None, None, ())
        assert view.state is (OrderState.BUSTED if success else OrderState.WORKING)
        for name in ("positions", "gas_wei", "undecided", "unsettled", "unsigned", "floors", "records"):
            assert getattr(book, name) == getattr(before, name)


def test_action_that_was_mined_moves_its_accounts_tokens_until_a_reorg(journal: Journal) -> None:
    action = ActionOrder("a", "a", TRADER, "aave_v3", (VenueCall("supply", KEEPER, b""),), (), 10**10)
    journal.append_action(action)
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, "a", Purpose.ACTION, 0)
    plan = make_plan(ApprovedAction(action, BLOCK), Purpose.ACTION)
    durable = journal.write_signed("a", sign_plan(plan, nonce))
    mine(journal, durable)
    assert journal.read_positions() == {
        (CHAIN_ID, TRADER, WETH.address): -(10**18),
        (CHAIN_ID, TRADER, USDC.address): 2_000 * 10**6,
    }
    journal.append_orphaned(journal.read_slot(key(nonce)))
    assert journal.read_positions() == {}


def test_final_newest_is_the_highest_of_ours_whichever_became_final_last(journal: Journal) -> None:
    for number, height in ((1, 100), (2, 102), (3, 101)):
        mine(journal, sign(journal, number), height)
    reserve(journal, 4)
    journal.append_foreign(journal.read_slot(key(3)), "0x01")
    for nonce in range(4):
        journal.append_final(key(nonce))
    newest = journal.find_newest_final(CHAIN_ID)
    assert newest is not None
    assert (newest.block_number, newest.block_hash) == (102, make_block(102).hash)
    assert [view.final for view in journal.read_orders()] == [True, True, True, False]


def test_final_stranger_whose_block_nobody_knows_is_never_the_newest(journal: Journal) -> None:
    """Its block has no hash, so a start-up would find none there and take finality for broken."""
    sign(journal, 1)
    journal.append_foreign(journal.read_slot(key(0)), "")
    journal.append_final(key(0))
    assert journal.find_newest_final(CHAIN_ID) is None


def test_cancel_of_what_was_never_signed_is_final_at_once(journal: Journal) -> None:
    reserve(journal, 1)
    journal.append_cancel("order-1")
    view = journal.read_order("order-1")
    assert (view.state, view.final) == (OrderState.CANCELLED, True)


@pytest.mark.parametrize("signed", [False, True])
def test_cancel_of_a_parent_ends_it_once_no_child_can_fill_any_more(
    journal: Journal, *, signed: bool
) -> None:
    journal.append_parent(PARENT)
    child = make_order(1, client_order_id="p.1", parent_id="p")
    journal.append_order(child, make_quote(child))
    if signed:
        journal.reserve_nonce(CHAIN_ID, TRADER, child.order_id, Purpose.SWAP, 0)
        journal.write_signed(child.order_id, make_signed(child, 0))
    journal.append_cancel("p")
    parent = journal.find_parent("p")
    assert parent is not None
    assert parent.state is (OrderState.CANCEL_PENDING if signed else OrderState.CANCELLED)
    assert parent.final is not signed


def test_accept_under_a_promise_hides_all_that_is_signed_and_every_later_choice(journal: Journal) -> None:
    order = make_order(1)
    journal.append_order(order, make_quote(order), promised=True)
    with pytest.raises(JournalError, match="private_only"):
        journal.append_channel(order.order_id, Decision(Channel.PUBLIC, (), (), 100, Stakes(0)))
    for purpose in (Purpose.ALLOWANCE, Purpose.SWAP):
        assert sign(journal, 1, purpose).private
    action = ActionOrder("a", "a", TRADER, "swaps", (VenueCall("sell", KEEPER, b""),), (), 10**10)
    journal.append_action(action, promised=True)
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, "a", Purpose.ACTION, 0)
    plan = make_plan(ApprovedAction(action, BLOCK), Purpose.ACTION)
    assert journal.write_signed("a", sign_plan(plan, nonce)).private
    standing = StandingApproval(TRADER, WETH.address, KEEPER, 1)
    revocation = replace(plan, cause=standing, purpose=Purpose.REVOKE)
    journal.append_revocation(revocation.order_id, promised=True)
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, revocation.order_id, Purpose.REVOKE, 0)
    assert journal.write_signed(revocation.order_id, sign_plan(revocation, nonce)).private


def test_end_of_a_parent_tells_why(journal: Journal) -> None:
    journal.append_parent(PARENT)
    why = Failure("EXPIRED", "late", "sooner", "again")
    journal.append_parent_end("p", OrderEvent.EXPIRE, why)
    parent = journal.find_parent("p")
    assert parent is not None
    assert (parent.state, parent.failure) == (OrderState.EXPIRED, why)


def test_fold_of_lines_of_the_first_version_takes_what_they_do_not_say_for_public(
    lines: MemoryJournal,
) -> None:
    sign(lines.open(), 1)
    events = []
    for text in lines.texts:
        event_id, kind, order_id, slot, payload, recorded_at = json.loads(text)
        for name in ("private", "promised"):
            payload.pop(name, None)
        place = SlotKey.parse(slot) if slot else None
        events.append((Event(event_id, EventKind(kind), order_id, place, payload), recorded_at))
    book = fold(events)
    assert not book.orders["order-1"].stays_private
    assert [attempt.tx.private for attempt in book.slots[key(0)].attempts] == [False]
