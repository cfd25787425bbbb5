"""A settlement that fills intents of its own account and journal: what they moved is counted once, whichever
of the two is recorded first, and taken back once."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from oms.builders import (
    BLOCK,
    CHAIN_ID,
    KEEPER,
    OWNER,
    SETTLE,
    USDC,
    WETH,
    make_intent,
    make_order,
    make_plan,
    make_quote,
    make_transfer,
    sign_intent,
    sign_plan,
)
from onchain_exec.clearing.settle.contract import FILLED
from onchain_exec.core import Address, Log, Receipt, address_bytes
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.execution import DurableTx, Mined, Purpose
from onchain_exec.oms import Journal, SlotKey
from onchain_exec.oms.book.states import Fate as Ended
from onchain_exec.oms.book.surroundings import Surroundings
from onchain_exec.oms.book.views import Consumer, IntentEnd
from onchain_exec.risk.action import ApprovedAction
from onchain_exec.testing.simulated import Fate, MemoryJournal

SOLD, BOUGHT, SURPLUS = 10**18, 2_000 * 10**6, 7
ORDER = make_order(1, account=OWNER, recipient=OWNER)
TERMS = make_intent(ORDER)
ACTION = ActionOrder(
    "settlement", "", OWNER, "settle", (VenueCall("settle", KEEPER, b""),), (), 2_000_000_000
)


@dataclass
class Books:
    """An intent and a settlement that fills it, signed; ``receipt`` is the settlement's."""

    contract: Address = SETTLE
    data: bytes = (TERMS.lane << 192 | 1 << 128 | SOLD).to_bytes(32) + (SOLD << 128 | BOUGHT).to_bytes(32)
    journal: Journal = field(default_factory=lambda: MemoryJournal(Fate(0), lambda: 0).open())
    durable: DurableTx = field(init=False)

    def __post_init__(self) -> None:
        self.journal.append_order(ORDER, make_quote(ORDER))
        self.journal.intents.append_signed(make_quote(ORDER), TERMS, sign_intent(ORDER, TERMS))
        self.journal.append_action(ACTION)
        nonce = self.journal.reserve_nonce(CHAIN_ID, OWNER, ACTION.order_id, Purpose.ACTION, 0)
        plan = make_plan(ApprovedAction(ACTION, BLOCK), Purpose.ACTION, OWNER)
        self.durable = self.journal.write_signed(ACTION.order_id, sign_plan(plan, nonce))

    @property
    def receipt(self) -> Receipt:
        owner = address_bytes(OWNER).rjust(32, b"\0")
        logs = (
            make_transfer(WETH, OWNER, SETTLE, SOLD),
            make_transfer(USDC, SETTLE, OWNER, BOUGHT),
            make_transfer(USDC, KEEPER, OWNER, SURPLUS),
            Log(self.contract, (FILLED.topic, owner), self.data, 3),
        )
        return Receipt(
            self.durable.tx_hash, BLOCK.number, BLOCK.hash, True, 100_000, 10**9, 0, OWNER, KEEPER, logs
        )

    def mine(self) -> None:
        self.journal.append_outcome(self.durable, Mined(self.receipt, 1))

    def end(self) -> None:
        consumer = Consumer(self.durable.tx_hash, BLOCK.number, BLOCK.hash, SOLD, BOUGHT)
        self.journal.intents.append_end(ORDER.order_id, None, IntentEnd(Ended.FILLED, consumer))

    def orphan(self) -> None:
        slot = self.journal.read_slot(SlotKey(CHAIN_ID, OWNER, self.durable.nonce))
        self.journal.append_orphaned(slot)
        intent = self.journal.read_order(ORDER.order_id).intent
        self.journal.intents.append_end(ORDER.order_id, intent and intent.end, None)


@pytest.mark.parametrize("is_first", [True, False])
def test_tx_mined_of_a_settlement_leaves_what_it_fills_of_our_own_to_their_orders(is_first: bool) -> None:
    books = Books()
    steps = (books.mine, books.end) if is_first else (books.end, books.mine)
    for step in steps:
        step()
    assert books.journal.read_positions() == {
        (CHAIN_ID, OWNER, WETH.address): -SOLD,
        (CHAIN_ID, OWNER, USDC.address): BOUGHT + SURPLUS,
    }
    books.orphan()
    assert books.journal.read_positions() == {}


@pytest.mark.parametrize("data", [None, b"", b"\xff" * 64])
def test_tx_mined_believes_no_other_contract_that_it_fills_ours(data: bytes | None) -> None:
    books = Books(KEEPER) if data is None else Books(KEEPER, data)
    books.mine()
    assert books.journal.read_positions() == {
        (CHAIN_ID, OWNER, WETH.address): -SOLD,
        (CHAIN_ID, OWNER, USDC.address): BOUGHT + SURPLUS,
    }


@pytest.mark.parametrize("by_us", [True, False])
def test_append_surroundings_of_what_a_settlement_filled_are_nobodys(by_us: bool) -> None:
    """What was around it was around whoever settled: it is neither the intent's nor our settlement's."""
    books = Books()
    tx_hash = books.durable.tx_hash if by_us else "0x" + "77" * 32
    consumer = Consumer(tx_hash, BLOCK.number, BLOCK.hash, SOLD, BOUGHT)
    books.journal.intents.append_end(ORDER.order_id, None, IntentEnd(Ended.FILLED, consumer))
    assert not books.journal.append_surroundings(ORDER.order_id, Surroundings(BLOCK.hash))
    assert [view.surroundings for view in books.journal.read_orders()] == [None, None]
