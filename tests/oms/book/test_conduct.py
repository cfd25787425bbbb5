"""What a journal keeps of how orders went out: promises hold, leaks are known, and what is counted of each
channel is what the chain showed, a reorg taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oms.builders import (
    CHAIN_ID,
    TRADER,
    make_block,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_plan,
)
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import JournalError
from onchain_exec.execution import Fees
from onchain_exec.execution.channels import Channel, Decision, Stakes, TrackRecord
from onchain_exec.execution.delivery.outcome import Accepted, Mined
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey
from onchain_exec.oms.book.conduct import needs_cancel
from onchain_exec.oms.book.surroundings import Neighbour, NeighbourKind, Surroundings
from onchain_exec.oms.engine import Care, find_care
from onchain_exec.oms.engine import care as caring
from onchain_exec.risk.action import ApprovedAction

ORDER = make_order(1)
SLOT = SlotKey(CHAIN_ID, TRADER, 0)
CHEAP = Fees(10**9, 1)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.sqlite") as opened:
        yield opened


def decide(channel: Channel, block: int = 100, at_stake: int = 5, *, promised: bool = False) -> Decision:
    return Decision(channel, (), (), block, Stakes(at_stake), promised)


def start(journal: Journal, decision: Decision) -> DurableTx:
    """Sign the order's swap for the channel, and let three relays acknowledge it."""
    journal.append_order(ORDER, make_quote(ORDER))
    journal.append_channel(ORDER.order_id, decision)
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, Purpose.SWAP, 0)
    signed = make_signed(ORDER, nonce)
    durable = journal.write_signed(ORDER.order_id, signed, private=decision.channel.is_private)
    journal.append_send_outcome(durable, Accepted(durable.tx_hash, takers=("one", "two")))
    return durable


def mine(journal: Journal, durable: DurableTx, block: int, salt: int = 0) -> str:
    receipt = make_receipt(durable.tx_hash, ORDER, block=make_block(block, salt))
    journal.append_outcome(durable, Mined(receipt, 1))
    return receipt.block_hash


def test_append_channel_public_after_a_promise_raises(journal):
    durable = start(journal, decide(Channel.PRIVATE, promised=True))
    with pytest.raises(JournalError, match="private_only"):
        journal.append_channel(ORDER.order_id, decide(Channel.PUBLIC, 110))
    assert journal.read_slot(SLOT).attempts[0].tx == durable
    assert durable.private


def test_append_channel_of_another_private_way_keeps_the_promise(journal):
    start(journal, decide(Channel.PRIVATE, promised=True))
    journal.append_channel(ORDER.order_id, decide(Channel.BUNDLE, 104))
    with pytest.raises(JournalError, match="private_only"):
        journal.append_channel(ORDER.order_id, decide(Channel.PUBLIC, 110))


@pytest.mark.parametrize("purpose", [Purpose.SWAP, Purpose.CANCEL])
def test_write_signed_of_a_promised_order_is_private_whatever_is_asked(journal, purpose):
    durable = start(journal, decide(Channel.PRIVATE, promised=True))
    signed = sign_plan(make_plan(durable, purpose), 0)
    assert journal.write_signed(ORDER.order_id, signed, private=False).private


def test_append_channel_public_makes_the_same_bytes_public(journal):
    durable = start(journal, decide(Channel.PRIVATE))
    journal.append_channel(ORDER.order_id, decide(Channel.PUBLIC, 104))
    (attempt,) = journal.read_slot(SLOT).attempts
    assert (attempt.tx.raw, attempt.tx.private) == (durable.raw, False)
    assert journal.read_records() == {"private": TrackRecord(waited_blocks=4)}
    mine(journal, attempt.tx, 106)
    assert journal.read_records()["public"] == TrackRecord(waited_blocks=2, included=1)


def test_append_channel_before_anything_is_signed_counts_against_no_channel(journal):
    """Nothing went out that way: the blocks that came show nothing of it."""
    journal.append_order(ORDER, make_quote(ORDER))
    journal.append_channel(ORDER.order_id, decide(Channel.PRIVATE))
    journal.append_channel(ORDER.order_id, decide(Channel.BUNDLE, 110))
    assert journal.read_records() == {}


def test_append_orphaned_of_a_private_cancel_shows_nothing_of_the_swap(journal):
    """Who had the block has the cancel, which moves nothing; what it took the place of stays unseen."""
    durable = start(journal, decide(Channel.PRIVATE))
    cancel = journal.write_signed(
        ORDER.order_id, sign_plan(make_plan(durable, Purpose.CANCEL), 0, b"nothing"), private=True
    )
    mine(journal, cancel, 103)
    assert journal.read_order(ORDER.order_id).state is OrderState.CANCELLED
    journal.append_orphaned(journal.read_slot(SLOT))
    assert not journal.read_slot(SLOT).leaked
    assert journal.read_records() == {}


def test_append_channel_same_again_changes_nothing(journal):
    start(journal, decide(Channel.BUNDLE))
    journal.append_channel(ORDER.order_id, decide(Channel.BUNDLE, 105))
    assert journal.read_order(ORDER.order_id).decision == decide(Channel.BUNDLE)


def test_read_records_after_a_reorg_count_what_the_chain_shows_now(journal):
    durable = start(journal, decide(Channel.PRIVATE))
    seen = Surroundings(mine(journal, durable, 103), (Neighbour(NeighbourKind.SANDWICH, (), (), 1),), 1)
    journal.append_surroundings(ORDER.order_id, seen)
    filled = TrackRecord(waited_blocks=3, included=1)
    assert journal.read_records() == {
        "private": filled + TrackRecord(seen=1, harmed=1),
        "private@one": filled,
        "private@two": filled,
    }
    journal.append_orphaned(journal.read_slot(SLOT))
    assert journal.read_records() == {"private": TrackRecord(seen=1, harmed=1)}, "the orphan showed it"
    assert journal.read_order(ORDER.order_id).surroundings is None
    mine(journal, durable, 103, salt=1)
    assert journal.read_records()["private"] == filled + TrackRecord(seen=1, harmed=1)


def test_append_surroundings_of_another_block_are_not_taken(journal):
    durable = start(journal, decide(Channel.PUBLIC))
    mine(journal, durable, 103)
    journal.append_surroundings(ORDER.order_id, Surroundings("0x" + "77" * 32))
    assert journal.read_order(ORDER.order_id).surroundings is None


@pytest.mark.parametrize(("at_stake", "care"), [(5, Care.CANCEL), (0, Care.SPEED_UP)])
def test_find_care_of_a_leaked_slot_cancels_what_can_be_attacked_and_reprices_the_rest(
    journal, at_stake, care, monkeypatch
):
    monkeypatch.setattr(caring, "is_outbid", lambda *_: False)
    durable = start(journal, decide(Channel.PRIVATE, at_stake=at_stake))
    assert look_after(journal) is Care.SEND
    journal.append_leak(SLOT, durable.tx_hash)
    assert look_after(journal) is care
    journal.write_signed(ORDER.order_id, sign_plan(make_plan(durable, Purpose.SWAP), 0, b"dearer"))
    assert look_after(journal) is (Care.CANCEL if at_stake else Care.SEND), "once is enough"


@pytest.mark.parametrize(("now", "care"), [(200, Care.SEND), (201, Care.CANCEL)])
def test_find_care_of_an_action_whose_time_has_passed_cancels_it(journal, now, care, monkeypatch):
    """One call without conditions has no deadline on chain: sent on and on, it would be mined after it."""
    monkeypatch.setattr(caring, "is_outbid", lambda *_: False)
    action = ActionOrder("a", "a", TRADER, "aave_v3", (VenueCall("supply", TRADER, b""),), (), 200)
    journal.append_action(action)
    journal.reserve_nonce(CHAIN_ID, TRADER, "a", Purpose.ACTION, 0)
    plan = make_plan(ApprovedAction(action, make_block(1)), Purpose.ACTION)
    journal.write_signed("a", sign_plan(plan, 0))
    assert find_care(journal.read_slot(SLOT), journal.read_order("a"), CHEAP, 1, now) is care


@pytest.mark.parametrize(("purpose", "needed"), [(Purpose.GAP, False), (Purpose.ALLOWANCE, True)])
def test_needs_cancel_of_what_fills_a_gap_is_never_whatever_becomes_of_its_order(journal, purpose, needed):
    """It does nothing, and the nonces above wait for it; an approval would stand for nothing."""
    journal.append_order(ORDER, make_quote(ORDER))
    nonce = journal.reserve_nonce(CHAIN_ID, TRADER, ORDER.order_id, purpose, 0)
    journal.write_signed(ORDER.order_id, make_signed(ORDER, nonce, purpose))
    assert not needs_cancel(journal.read_slot(SLOT), journal.read_order(ORDER.order_id), 0)
    journal.append_cancel(ORDER.order_id)
    assert needs_cancel(journal.read_slot(SLOT), journal.read_order(ORDER.order_id), 0) is needed


def test_append_leak_of_what_was_public_or_is_mined_is_none(journal):
    durable = start(journal, decide(Channel.PUBLIC))
    journal.append_leak(SLOT, durable.tx_hash)
    assert not journal.read_slot(SLOT).leaked
    mine(journal, durable, 103)
    assert journal.read_order(ORDER.order_id).state is OrderState.FILLED


def test_append_leak_of_private_bytes_that_a_block_has_or_of_a_strangers_counts_against_no_channel(journal):
    """Everybody has what a block has. What is no attempt of the slot says nothing of the channel."""
    durable = start(journal, decide(Channel.PRIVATE))
    journal.append_leak(SLOT, "0x" + "77" * 32)
    assert not journal.read_slot(SLOT).leaked
    mine(journal, durable, 103)
    journal.append_leak(SLOT, durable.tx_hash)
    assert not journal.read_slot(SLOT).leaked
    assert journal.read_records()["private"] == TrackRecord(waited_blocks=3, included=1)


def look_after(journal: Journal) -> Care:
    return find_care(journal.read_slot(SLOT), journal.read_order(ORDER.order_id), CHEAP, 1, 0)
