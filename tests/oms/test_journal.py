"""The journal: idempotent, durable, private, and honest about a damaged file.

Catalogue entries 5 (a restart), 6 (the chain's nonce is behind ours), 7 (several processes), 29.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oms.builders import (
    CHAIN_ID,
    TRADER,
    make_approved,
    make_block,
    make_denied,
    make_order,
    make_plan,
    make_quote,
    make_receipt,
    make_signed,
    sign_plan,
)
from onchain_exec.core import Order
from onchain_exec.errors import (
    DuplicateOrderError,
    GasError,
    IllegalTransitionError,
    InputError,
    JournalError,
)
from onchain_exec.execution.delivery.outcome import (
    Accepted,
    AlreadyKnown,
    Ambiguous,
    Mined,
    Rejected,
    Reverted,
    StillUnknown,
    Superseded,
)
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey, SlotState


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.sqlite"


@pytest.fixture
def journal(path: Path):
    with Journal.open(path) as journal:
        yield journal


def work(journal: Journal, order: Order, floor: int = 0) -> DurableTx:
    """Take an order to where its swap bytes are durable."""
    journal.append_order(order, make_quote(order))
    nonce = journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, floor)
    return journal.write_signed(order.order_id, make_signed(order, nonce))


def count_lines(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("select count(*) from events").fetchone()
    connection.close()
    return count


def test_open_new_file_creates_parents_and_keeps_others_out(path, journal):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_append_order_same_terms_returns_the_first(path, journal):
    first = journal.append_order(make_order(1, client_order_id="mine"), make_quote(make_order(1)))
    again = make_order(2, client_order_id="mine", expires_at=2_000_000_099)
    assert journal.append_order(again, make_quote(again)) == first
    assert count_lines(path) == 1


def test_append_order_other_terms_is_a_duplicate(path, journal):
    journal.append_order(make_order(1, client_order_id="mine"), make_quote(make_order(1)))
    other = make_order(2, client_order_id="mine", amount=5)
    with pytest.raises(DuplicateOrderError, match="order-1"):
        journal.append_order(other, make_quote(other))
    assert count_lines(path) == 1


def test_append_denial_writes_one_line_with_its_reason(path, journal):
    order = make_order()
    view = journal.append_denial(make_quote(order), make_denied(order))
    assert (view.state, view.final, view.order) == (OrderState.DENIED, True, order)
    assert view.failure is not None
    assert view.failure.code == "BALANCE_BELOW_AMOUNT"
    assert count_lines(path) == 1


def test_append_failure_without_terms_leaves_the_client_id_free(journal):
    view = journal.append_failure("order-9", InputError("no such token", todo="Name another"))
    assert (view.state, view.order, view.client_order_id) == (OrderState.REJECTED, None, "")
    assert view.to_json()["failure"]["code"] == "InputError"


def test_append_failure_after_swap_bytes_exist_changes_nothing(journal):
    order = make_order()
    work(journal, order)
    before = journal.read_order(order.order_id)
    assert journal.append_failure(order.order_id, GasError("too late")) == before
    assert before.state is OrderState.WORKING


def test_append_failure_frees_the_nonce_of_an_unsigned_order(journal):
    one, two = make_order(1), make_order(2)
    journal.append_order(one, make_quote(one))
    journal.append_order(two, make_quote(two))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, one.order_id, Purpose.SWAP, 7) == 7
    journal.append_failure(one.order_id, GasError("simulation needs more than the block"))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, two.order_id, Purpose.SWAP, 7) == 7
    assert journal.read_order(one.order_id).slots == ()


def test_reserve_nonce_twice_for_one_order_is_one_nonce(path, journal):
    order = make_order()
    journal.append_order(order, make_quote(order))
    nonces = {
        journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, floor) for floor in (5, 5, 3)
    }
    assert nonces == {5}
    assert count_lines(path) == 2


def test_reserve_nonce_ahead_of_the_chain_counts_on(journal):
    orders = [make_order(number) for number in range(4)]
    assert [work(journal, order, 5).nonce for order in orders] == [5, 6, 7, 8]


def test_reserve_nonce_skips_what_a_stranger_consumed(journal):
    one, two = make_order(1), make_order(2)
    journal.append_order(one, make_quote(one))
    assert journal.reserve_nonce(CHAIN_ID, TRADER, one.order_id, Purpose.SWAP, 5) == 5
    assert journal.reserve_nonce(CHAIN_ID, TRADER, one.order_id, Purpose.SWAP, 9) == 9
    assert work(journal, two, 5).nonce == 10


def test_reserve_nonce_for_an_order_with_signed_bytes_is_refused(journal):
    order = make_order()
    work(journal, order)
    with pytest.raises(JournalError, match="WORKING"):
        journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)


def test_reserve_nonce_reuses_what_a_dead_process_left(path, journal):
    one, two = make_order(1), make_order(2)
    journal.append_order(one, make_quote(one))
    journal.append_order(two, make_quote(two))
    dead = Journal.open(path)
    assert dead.reserve_nonce(CHAIN_ID, TRADER, one.order_id, Purpose.SWAP, 3) == 3
    assert journal.reserve_nonce(CHAIN_ID, TRADER, two.order_id, Purpose.SWAP, 3) == 4
    dead.close()
    three = make_order(3)
    assert work(journal, three, 3).nonce == 3


def test_write_signed_after_another_took_the_slot_over_is_fenced(path, journal):
    one, two = make_order(1), make_order(2)
    journal.append_order(one, make_quote(one))
    paused = Journal.open(path)
    paused.reserve_nonce(CHAIN_ID, TRADER, one.order_id, Purpose.SWAP, 3)
    paused.close()
    assert work(journal, two, 3).nonce == 3
    with pytest.raises(JournalError, match="not reserved for order order-1"):
        journal.write_signed(one.order_id, make_signed(one, 3))


def test_write_signed_same_bytes_twice_is_one_line(path, journal):
    order = make_order()
    durable = work(journal, order)
    assert journal.write_signed(order.order_id, make_signed(order, durable.nonce)) == durable
    assert count_lines(path) == 3


def test_write_signed_other_bytes_in_the_same_slot_is_refused(journal):
    order = make_order()
    durable = work(journal, order)
    other = sign_plan(make_plan(make_approved(order)), durable.nonce, raw=b"signed once more")
    with pytest.raises(JournalError, match="holds swap bytes"):
        journal.write_signed(order.order_id, other)


def test_write_signed_of_private_bytes_stays_private_in_what_replaces_them(path, journal):
    order = make_order()
    journal.append_order(order, make_quote(order))
    nonce = journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, 0)
    hidden = journal.write_signed(order.order_id, make_signed(order, nonce), private=True)
    dearer = journal.write_signed(order.order_id, sign_plan(make_plan(hidden), nonce, b"dearer"))
    cancel = journal.write_signed(order.order_id, sign_plan(make_plan(hidden, Purpose.CANCEL), nonce))
    assert [hidden.private, dearer.private, cancel.private] == [True, True, False]
    with Journal.open(path) as again:
        (slot,) = again.read_slots()
        assert [attempt.tx for attempt in slot.attempts] == [hidden, dearer, cancel]


def test_write_signed_survives_in_a_file_that_is_opened_again(path, journal):
    order = make_order()
    durable = work(journal, order)
    with Journal.open(path) as again:
        work_left = again.read_open()
        assert [slot.attempts[0].tx for slot in work_left.slots] == [durable]
        assert [view.order for view in work_left.orders] == [order]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Accepted, SlotState.SENT),
        (AlreadyKnown, SlotState.SEEN),
        (lambda tx_hash: Ambiguous(tx_hash, "no answer"), SlotState.SENT),
        (lambda tx_hash: Rejected(tx_hash, "insufficient funds"), SlotState.SIGNED),
    ],
)
def test_append_send_outcome_moves_the_slot_and_never_ends_the_order(journal, outcome, state):
    durable = work(journal, make_order())
    journal.append_send_outcome(durable, outcome(durable.tx_hash))
    journal.append_send_outcome(durable, outcome(durable.tx_hash))
    assert journal.read_open().slots[0].state is state
    assert journal.read_order(durable.order_id).state is OrderState.WORKING


def test_append_outcome_mined_fills_with_the_chains_amounts(path, journal):
    order = make_order()
    durable = work(journal, order)
    mined = Mined(make_receipt(durable.tx_hash, order, 1_999 * 10**6), 1)
    view = journal.append_outcome(durable, mined)
    assert view == journal.append_outcome(durable, mined)
    assert view.state is OrderState.FILLED
    assert view.fill is not None
    assert (view.fill.amount_in, view.fill.amount_out) == (10**18, 1_999 * 10**6)
    assert view.fill.slippage_bps == 5
    assert view.fill.gas_cost_wei == 120_000 * 10**9
    assert count_lines(path) == 4


def test_append_outcome_mined_deep_enough_is_confirmed(journal):
    order = make_order()
    durable = work(journal, order)
    journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order), 12))
    assert journal.read_slots()[0].state is SlotState.CONFIRMED


def test_append_outcome_in_another_block_moves_the_fill(journal):
    order = make_order()
    durable = work(journal, order)
    journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order, 10), 1))
    moved = make_receipt(durable.tx_hash, order, 20, block=make_block(101))
    view = journal.append_outcome(durable, Mined(moved, 1))
    assert view.fill is not None
    assert (view.fill.amount_out, view.fill.block_number) == (20, 101)
    assert journal.read_positions()[CHAIN_ID, TRADER, order.token_out.address] == 20


def test_append_outcome_back_in_the_first_block_counts_once(journal):
    order = make_order()
    durable = work(journal, order)
    first, second = make_block(100), make_block(100, salt=1)
    for block in (first, second, first):
        view = journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order, block=block), 1))
    assert view.fill is not None
    assert view.fill.block_hash == first.hash
    assert journal.read_gas_wei() == {(CHAIN_ID, TRADER): 120_000 * 10**9}


def test_append_outcome_reverted_fails_and_costs_gas(journal):
    order = make_order()
    durable = work(journal, order)
    receipt = make_receipt(durable.tx_hash, order, success=False)
    view = journal.append_outcome(durable, Reverted(receipt, 1, "Too little received"))
    assert (view.state, view.fill) == (OrderState.FAILED, None)
    assert view.failure is not None
    assert "Too little received" in view.failure.found
    assert journal.read_positions() == {}
    assert journal.read_gas_wei() == {(CHAIN_ID, TRADER): receipt.cost_wei}


def test_append_outcome_superseded_blames_a_stranger(journal):
    durable = work(journal, make_order())
    view = journal.append_outcome(durable, Superseded("0x77", durable.nonce))
    assert view.failure is not None
    assert (view.state, view.failure.code) == (OrderState.FAILED, "FOREIGN_NONCE")


def test_append_outcome_superseded_by_our_cancel_waits_for_its_receipt(journal):
    durable = work(journal, make_order())
    cancel = sign_plan(make_plan(durable, Purpose.CANCEL), durable.nonce)
    journal.write_signed(durable.order_id, cancel)
    view = journal.append_outcome(durable, Superseded(cancel.tx_hash, durable.nonce))
    assert view.state is OrderState.CANCEL_PENDING


def test_append_outcome_cancel_mined_cancels(journal):
    order = make_order()
    durable = work(journal, order)
    cancel = journal.write_signed(
        order.order_id, sign_plan(make_plan(durable, Purpose.CANCEL), durable.nonce)
    )
    view = journal.append_outcome(cancel, Mined(make_receipt(cancel.tx_hash, order), 1))
    assert (view.state, view.fill) == (OrderState.CANCELLED, None)
    assert journal.read_slots()[0].state is SlotState.REPLACED


def test_append_outcome_cancel_loses_the_race_fills(journal):
    order = make_order()
    durable = work(journal, order)
    journal.write_signed(order.order_id, sign_plan(make_plan(durable, Purpose.CANCEL), durable.nonce))
    view = journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order), 1))
    assert view.state is OrderState.FILLED


def test_append_outcome_unknown_appends_nothing(path, journal):
    durable = work(journal, make_order())
    before = count_lines(path)
    view = journal.append_outcome(durable, StillUnknown(durable.tx_hash))
    assert view.state is OrderState.WORKING
    assert count_lines(path) == before


def test_append_orphaned_busts_and_takes_everything_back(journal):
    order = make_order()
    durable = work(journal, order)
    journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order), 1))
    key = SlotKey(CHAIN_ID, TRADER, durable.nonce)
    assert len(journal.append_orphaned(journal.read_slot(key))) == 1
    assert journal.append_orphaned(journal.read_slot(key)) == ()
    view = journal.read_order(order.order_id)
    assert (view.state, view.fill) == (OrderState.BUSTED, None)
    assert journal.read_positions() == {}
    assert journal.read_gas_wei() == {}
    assert journal.read_open().slots[0].attempts[0].tx == durable


def test_append_of_an_older_look_leaves_what_was_recorded_since(journal):
    """Or a reader of an older head would take away what a newer one has found."""
    order = make_order()
    durable = work(journal, order)
    before = journal.read_slot(SlotKey(CHAIN_ID, TRADER, durable.nonce))
    old, new = (make_receipt(durable.tx_hash, order, block=make_block(100, salt)) for salt in (1, 2))
    assert journal.append_receipt(before, old, 1)
    mined = journal.read_slot(before.key)
    assert journal.append_receipt(mined, new, 1)  # as another process sees it after a reorg
    assert journal.append_orphaned(mined) == ()
    assert journal.append_receipt(before, old, 1) == ()
    assert journal.append_foreign(mined, "0x" + "99" * 32) == ()
    consumer = journal.read_slot(before.key).consumer
    assert consumer is not None
    assert consumer.block_hash == new.block_hash
    journal.append_final(before.key)
    assert journal.append_orphaned(mined) == ()


def test_append_final_closes_the_slot_for_good(journal):
    order = make_order()
    durable = work(journal, order)
    journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order), 1))
    key = SlotKey(CHAIN_ID, TRADER, durable.nonce)
    assert len(journal.append_final(key)) == 1
    assert journal.append_final(key) == ()
    assert journal.read_order(order.order_id).final
    with pytest.raises(IllegalTransitionError, match="ORPHAN in state FINAL"):
        journal.append_orphaned(journal.read_slot(key))


def test_append_expiry_of_an_unsigned_order_ends_it(journal):
    order = make_order()
    journal.append_order(order, make_quote(order))
    assert journal.append_expiry(order.order_id).state is OrderState.EXPIRED


def test_find_order_knows_the_client_id(journal):
    order = make_order(client_order_id="abc")
    view = journal.append_order(order, make_quote(order))
    assert journal.find_order("abc") == view
    assert journal.find_order("other") is None
    assert journal.find_order("") is None


def test_read_order_takes_any_name_of_it(journal):
    durable = work(journal, make_order(client_order_id="abc"))
    names = durable.order_id, "abc", durable.tx_hash
    assert [journal.read_order(name).order_id for name in names] == [durable.order_id] * 3


def test_read_order_unknown_is_bad_input(journal):
    with pytest.raises(InputError, match="order-404"):
        journal.read_order("order-404")


def test_append_failing_in_the_middle_leaves_no_trace(path, journal):
    order = make_order()
    durable = work(journal, order)
    journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order), 1))
    key = SlotKey(CHAIN_ID, TRADER, durable.nonce)
    journal.append_final(key)
    before = journal.read_orders(), journal.read_slots(), count_lines(path)
    moved = make_receipt(durable.tx_hash, order, block=make_block(105))
    with pytest.raises(IllegalTransitionError):
        journal.append_outcome(durable, Mined(moved, 1))
    assert (journal.read_orders(), journal.read_slots(), count_lines(path)) == before


def test_read_sees_what_another_process_wrote(path, journal):
    order = make_order()
    with Journal.open(path) as other:
        other.append_order(order, make_quote(order))
        assert journal.read_order(order.order_id) == other.read_order(order.order_id)


def test_journal_serves_many_threads(journal):
    orders = [make_order(number) for number in range(24)]
    threads = [threading.Thread(target=work, args=(journal, order)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slot.key.nonce for slot in journal.read_slots()) == list(range(24))


def test_read_beside_a_thread_that_writes_sees_whole_transactions_only(journal):
    """A thread that looks at the book while another changes it sees half a transaction, or breaks."""
    done, faults = threading.Event(), list[BaseException]()

    def look() -> None:
        while not done.is_set():
            try:
                slots = {slot.key for slot in journal.read_slots()}
                assert journal.read_tops(CHAIN_ID).get(TRADER, 0) >= len(slots)
                assert {slot.key for slot in journal.read_unsettled()} >= slots
                assert all(order.state is OrderState.NEW for order in journal.read_open().orders)
            except (AssertionError, KeyError, RuntimeError) as error:
                faults.append(error)
                return

    reader, interval = threading.Thread(target=look), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    reader.start()
    try:
        for number in range(60):
            order = make_order(number)
            journal.append_order(order, make_quote(order))
            journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
    finally:
        sys.setswitchinterval(interval)
        done.set()
        reader.join()
    assert faults == []


def test_close_leaves_no_session_file(path):
    Journal.open(path).close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]


_RESERVER = """
import sys
from oms.builders import CHAIN_ID, TRADER, make_order, make_quote, make_signed
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal
path, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with Journal.open(path, timeout_s=60) as journal:
    for number in range(first, first + count):
        order = make_order(number)
        journal.append_order(order, make_quote(order))
        nonce = journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
        journal.write_signed(order.order_id, make_signed(order, nonce))
"""


def test_reserve_nonce_by_several_processes_is_unique_and_gapless(path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    Journal.open(path).close()
    processes = [
        subprocess.Popen([sys.executable, "-c", _RESERVER, path, str(first), "40"], env=environment)
        for first in (0, 1_000, 2_000)
    ]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    with Journal.open(path) as journal:
        slots = journal.read_slots()
    assert [slot.key.nonce for slot in slots] == list(range(120))
    assert len({slot.order_id for slot in slots}) == 120
