"""The journal against a model: whatever happens in whatever order, by two processes and over crashes,
nonces are unique, fills are what the chain holds, and a replay gives the same book."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from oms.builders import (
    CHAIN_ID,
    OWNER,
    USDC,
    WETH,
    make_approved,
    make_block,
    make_denied,
    make_end,
    make_intent,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_intent,
    sign_plan,
)
from onchain_exec.core import Order
from onchain_exec.errors import GasError, JournalError
from onchain_exec.execution.delivery.outcome import (
    Accepted,
    AlreadyKnown,
    Ambiguous,
    Mined,
    Rejected,
    Reverted,
)
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey
from onchain_exec.oms.book.fold import fold
from onchain_exec.oms.book.states import Fate
from onchain_exec.oms.book.views import IntentEnd
from onchain_exec.oms.line import GENESIS, Line

SENDS = (
    Accepted,
    AlreadyKnown,
    lambda tx_hash: Ambiguous(tx_hash, "no answer in time"),
    lambda tx_hash: Rejected(tx_hash, "nonce too low", nonce_consumed=True),
)


class JournalModel(RuleBasedStateMachine):
    """The model knows only what a trader would: who signed what, and what the chain holds now."""

    orders = Bundle("orders")
    signed = Bundle("signed")
    intents = Bundle("intents")

    @initialize()
    def open(self):
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "journal.sqlite"
        self.journals = [self.open_journal(), self.open_journal()]
        self.count = 0
        self.nonces: dict[int, str] = {}
        self.chain: dict[str, int | None] = {}
        self.shown: set[str] = set()
        self.ends: dict[str, IntentEnd] = {}
        self.final: set[str] = set()

    def open_journal(self) -> Journal:
        return Journal.open(self.path, clock=lambda: 1_700_000_000, checkpoint_lines=4)

    def teardown(self):
        if hasattr(self, "journals"):
            for journal in self.journals:
                journal.verify()
                journal.close()
            shutil.rmtree(self.folder)

    @rule(target=orders, who=st.integers(0, 1))
    def accept(self, who):
        self.count += 1
        order = make_order(self.count, account=OWNER, recipient=OWNER)
        view = self.journals[who].append_order(order, make_quote(order))
        assert (view.state, view.order) == (OrderState.NEW, order)
        return order

    @rule(order=orders, who=st.integers(0, 1))
    def accept_again(self, order, who):
        again = replace(order, order_id=f"again-{self.count}", expires_at=order.expires_at + 1)
        assert self.journals[who].append_order(again, make_quote(again)).order_id == order.order_id

    @rule(order=orders, who=st.integers(0, 1), denied=st.booleans())
    def refuse(self, order: Order, who, denied):
        signed = order.order_id in self.nonces.values() or order.order_id in self.shown
        journal = self.journals[who]
        if not denied:
            before = journal.read_order(order.order_id)
            after = journal.append_failure(order.order_id, GasError("none left"))
            assert (
                after == before if before.state is not OrderState.NEW else after.state is OrderState.REJECTED
            )
            return
        try:
            view = journal.append_denial(make_quote(order), make_denied(order))
        except JournalError:
            return  # ended before, or signed
        assert not signed
        assert view.state is OrderState.DENIED

    @rule(target=signed, order=orders, who=st.integers(0, 1), floor=st.integers(0, 3))
    def sign(self, order: Order, who, floor):
        journal = self.journals[who]
        may_sign = journal.read_order(order.order_id).state is OrderState.NEW
        try:
            nonce = journal.reserve_nonce(CHAIN_ID, OWNER, order.order_id, Purpose.SWAP, floor)
        except JournalError:
            assert not may_sign
            return multiple()
        assert may_sign
        assert nonce not in self.nonces
        assert nonce >= floor
        self.nonces[nonce] = order.order_id
        return order, journal.write_signed(order.order_id, make_signed(order, nonce))

    @rule(order=orders, who=st.integers(0, 1))
    def reserve_only(self, order: Order, who):
        try:
            nonce = self.journals[who].reserve_nonce(CHAIN_ID, OWNER, order.order_id, Purpose.SWAP, 0)
        except JournalError:
            return
        assert nonce not in self.nonces

    @rule(signed=signed, who=st.integers(0, 1))
    def sign_other_bytes(self, signed, who):
        order, durable = signed
        again = sign_plan(make_plan(make_approved(order)), durable.nonce, b"other")
        with pytest.raises(JournalError):
            self.journals[who].write_signed(order.order_id, again)

    @rule(signed=signed, who=st.integers(0, 1), outcome=st.sampled_from(SENDS))
    def send(self, signed, who, outcome):
        _, durable = signed
        self.journals[who].append_send_outcome(durable, outcome(durable.tx_hash))

    @rule(
        signed=signed,
        who=st.integers(0, 1),
        height=st.integers(1, 5),
        salt=st.integers(0, 1),
        paid=st.integers(0, 2**200),
        success=st.booleans(),
    )
    def mine(self, signed, who, height, salt, paid, success):
        order, durable = signed
        block = make_block(height, salt)
        before = self.journals[who].read_slot(SlotKey(CHAIN_ID, OWNER, durable.nonce)).consumer
        if durable.tx_hash in self.final or (before and before.block_hash == block.hash):
            return  # neither finality nor a block changes what it holds
        receipt = make_receipt(durable.tx_hash, order, paid, success=success, block=block)
        outcome = Mined(receipt, 1) if success else Reverted(receipt, 1, "STF")
        view = self.journals[who].append_outcome(durable, outcome)
        assert view.state is (OrderState.FILLED if success else OrderState.FAILED)
        self.chain[durable.tx_hash] = paid if success else None

    @rule(signed=signed, who=st.integers(0, 1))
    def reorg(self, signed, who):
        order, durable = signed
        if durable.tx_hash not in self.final:
            was_mined = durable.tx_hash in self.chain
            self.chain.pop(durable.tx_hash, None)
            new = self.journals[who].append_orphaned(
                self.journals[who].read_slot(SlotKey(CHAIN_ID, OWNER, durable.nonce))
            )
            assert bool(new) is was_mined
            assert self.journals[who].read_order(order.order_id).fill is None

    @rule(signed=signed, who=st.integers(0, 1))
    def finalise(self, signed, who):
        _, durable = signed
        if durable.tx_hash in self.chain:
            self.journals[who].append_final(SlotKey(CHAIN_ID, OWNER, durable.nonce))
            self.final.add(durable.tx_hash)

    @rule(target=intents, order=orders, who=st.integers(0, 1), lane=st.integers(0, 3))
    def sign_intent(self, order: Order, who, lane):
        journal, terms = self.journals[who], make_intent(order, lane=lane)
        is_new = journal.read_order(order.order_id).state is OrderState.NEW
        is_free = not journal.intents.has_lane(terms.get_key(order))
        try:
            view = journal.intents.append_signed(make_quote(order), terms, sign_intent(order, terms))
        except JournalError:
            assert not (is_new and is_free)
            return multiple()
        assert is_new
        assert is_free
        assert view.state is OrderState.WORKING
        assert order.order_id not in self.nonces.values()
        self.shown.add(order.order_id)
        return order

    @rule(order=intents, who=st.integers(0, 1), answer=st.sampled_from(["taken", "refused", "no answer"]))
    def answer_intent(self, order, who, answer):
        self.journals[who].intents.append_answer(order.order_id, answer)

    @rule(order=intents, who=st.integers(0, 1))
    def cancel_intent(self, order, who):
        before = self.journals[who].read_order(order.order_id)
        self.journals[who].append_cancel(order.order_id)
        after = self.journals[who].read_order(order.order_id).state
        waits = before.state in (OrderState.WORKING, OrderState.BUSTED, OrderState.CANCEL_PENDING)
        assert after is (OrderState.CANCEL_PENDING if waits else before.state)

    @rule(
        order=intents,
        who=st.integers(0, 1),
        fate=st.none() | st.sampled_from(Fate),
        height=st.integers(1, 5),
        paid=st.integers(0, 2**100),
    )
    def end_intent(self, order, who, fate, height, paid):
        journal = self.journals[who]
        before, found = journal.read_order(order.order_id), fate and make_end(fate, make_block(height), paid)
        seen = before.intent.end
        new = journal.intents.append_end(order.order_id, seen, found)
        assert journal.intents.append_end(order.order_id, found, found) == ()
        if found != seen:  # who looked before that does not take it back
            assert journal.intents.append_end(order.order_id, seen, None) == ()
        if before.intent.final:
            assert new == ()
            return
        self.ends.pop(order.order_id, None)
        if found:
            self.ends[order.order_id] = found
        view = journal.read_order(order.order_id)
        assert view.intent.end == found
        assert (view.fill is not None) is (fate is Fate.FILLED)
        ends = {
            Fate.FILLED: (OrderState.FILLED,),
            Fate.LAPSED: (OrderState.EXPIRED, OrderState.CANCELLED),
            Fate.WITHDRAWN: (OrderState.CANCELLED,),
            None: (OrderState.WORKING, OrderState.BUSTED, OrderState.CANCEL_PENDING),
        }
        assert view.state in ends[fate]

    @rule(order=intents, who=st.integers(0, 1))
    def finalise_intent(self, order, who):
        self.journals[who].intents.append_final(order.order_id)
        view = self.journals[who].read_order(order.order_id)
        assert view.final is view.intent.final is (order.order_id in self.ends)

    @rule(who=st.integers(0, 1))
    def restart(self, who):
        before = self.journals[who].read_orders(), self.journals[who].read_slots()
        self.journals[who].close()
        self.journals[who] = self.open_journal()
        assert (self.journals[who].read_orders(), self.journals[who].read_slots()) == before

    @invariant()
    def both_processes_agree(self):
        if hasattr(self, "journals"):
            one, two = self.journals
            assert one.read_orders() == two.read_orders()
            assert one.read_slots() == two.read_slots()

    @invariant()
    def books_equal_the_chain(self):
        if hasattr(self, "journals"):
            fills = [paid for paid in self.chain.values() if paid is not None]
            fills += [end.consumer.amount_out for end in self.ends.values() if end.fate is Fate.FILLED]
            expected = {
                (CHAIN_ID, OWNER, WETH.address): -(10**18) * len(fills),
                (CHAIN_ID, OWNER, USDC.address): sum(fills),
            }
            journal = self.journals[0]
            assert journal.read_positions() == {key: units for key, units in expected.items() if units}
            gas_wei = 120_000 * 10**9 * len(self.chain)
            assert journal.read_gas_wei() == ({(CHAIN_ID, OWNER): gas_wei} if gas_wei else {})

    @invariant()
    def open_work_is_what_was_signed_and_is_not_on_the_chain(self):
        if hasattr(self, "journals"):
            waiting = {slot.key.nonce for slot in self.journals[0].read_open().slots}
            mined = {slot.key.nonce for slot in self.journals[0].read_slots() if slot.consumer}
            assert waiting == set(self.nonces) - mined
            assert len(mined) == len(self.chain)

    @invariant()
    def no_order_has_both_an_intent_and_a_swap(self):
        if hasattr(self, "journals"):
            assert not self.shown & set(self.nonces.values())
            waiting = {view.order_id for view in self.journals[0].intents.read_unsettled(CHAIN_ID)}
            views = {order_id: self.journals[0].read_order(order_id) for order_id in self.shown}
            assert waiting == {order_id for order_id, view in views.items() if not view.intent.final}
            assert len({view.intent.terms.lane for view in views.values()}) == len(views)

    @invariant()
    def replay_of_the_file_is_the_live_book(self):
        if hasattr(self, "journals"):
            book = fold((line.event, line.recorded_at) for line in read_lines(self.path))
            assert tuple(book.orders.values()) == self.journals[0].read_orders()
            assert tuple(book.slots[key] for key in sorted(book.slots)) == self.journals[0].read_slots()
            assert book.positions == self.journals[0].read_positions()


def read_lines(path: Path) -> list[Line]:
    """Return the file's lines through nothing but SQLite."""
    connection = sqlite3.connect(path)
    lines: list[Line] = []
    for row in connection.execute("select * from events order by seq"):
        previous = lines[-1] if lines else None
        lines.append(
            Line.from_row(row, previous.seq if previous else 0, previous.hash if previous else GENESIS)
        )
    connection.close()
    return lines


JournalModel.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestJournalModel = JournalModel.TestCase


@pytest.mark.deep
def test_journal_model_deep():
    run_state_machine_as_test(
        JournalModel, settings=settings(max_examples=1_000, stateful_step_count=60, deadline=None)
    )
