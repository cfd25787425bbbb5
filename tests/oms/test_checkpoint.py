"""A checkpoint is a copy: a start from it gives what all lines give, and whatever is wrong with it costs
time only."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from oms.builders import (
    CHAIN_ID,
    OWNER,
    TRADER,
    USDC,
    WETH,
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
from onchain_exec.core import Condition, Exact, Order, ParentOrder, to_address
from onchain_exec.core.call import Call
from onchain_exec.errors import GasError, IllegalTransitionError, JournalError
from onchain_exec.execution.channels import Channel, Decision, Estimate, Stakes
from onchain_exec.execution.delivery.outcome import Accepted, Mined, Reverted
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import EVERYTHING, Failure, Journal, OrderEvent, SlotKey, SwitchState
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import EventKind
from onchain_exec.oms.book.fold import apply, fold
from onchain_exec.oms.book.snapshot import decode, encode, forget_changes, join, split, split_changes
from onchain_exec.oms.book.states import Fate
from onchain_exec.oms.book.surroundings import Neighbour, NeighbourKind, Surroundings
from onchain_exec.oms.book.views import AllowanceKey
from onchain_exec.oms.checkpoint import Checkpoint, pack
from onchain_exec.oms.line import GENESIS, Line
from onchain_exec.oms.storage import open_database
from onchain_exec.oms.store import SAVER
from onchain_exec.oms.tape import End, Tape

CONDITION = Condition.at_least(Call(WETH.address, b"\x01\x02\x03\x04"), 2**255, label="collateral")
PARENT = ParentOrder("p", "twap", (TRADER,), WETH, USDC, 2 * 10**18, Exact.IN, 50, 0, 2_000_000_000, slices=2)


def sign(journal: Journal, order: Order, *, private: bool = False) -> DurableTx:
    journal.append_order(order, make_quote(order))
    way = Channel.PRIVATE if private else Channel.PUBLIC
    costs = (Estimate(way, (("attack", 2**100), ("refund", -1))),)
    journal.append_channel(
        order.order_id,
        Decision(way, costs, ((Channel.WAIT, "no"),), 100, Stakes(2**90, late_costs=(0, 2**80))),
    )
    nonce = journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, 0)
    return journal.write_signed(order.order_id, make_signed(order, nonce), private=private)


def live(journal: Journal) -> None:
    """Let everything happen that a journal has a word for."""
    filled = sign(journal, first := make_order(1, conditions=(CONDITION,)), private=True)
    journal.append_send_outcome(filled, Accepted(filled.tx_hash))
    receipt = make_receipt(filled.tx_hash, first, 2**200, block=make_block(101))
    journal.append_outcome(filled, Mined(receipt, 12))
    attack = Neighbour(NeighbourKind.SANDWICH, ("0x01", "0x02"), ("uniswap_v2:0x",), 2**80)
    journal.append_surroundings("order-1", Surroundings(receipt.block_hash, (attack,), 2**80, True, 2**70))
    journal.append_final(SlotKey(CHAIN_ID, TRADER, filled.nonce))

    journal.append_parent(PARENT, promised=True)
    one = sign(journal, child := make_order(2, client_order_id="p.1", parent_id="p"))
    lost = make_receipt(one.tx_hash, child, success=False, block=make_block(102))
    journal.append_outcome(one, Reverted(lost, 1, "STF"))
    journal.append_orphaned(journal.read_slot(SlotKey(CHAIN_ID, TRADER, one.nonce)))
    journal.append_outcome(one, Mined(make_receipt(one.tx_hash, child, block=make_block(103)), 1))
    journal.append_parent_end("p", OrderEvent.REJECT, Failure("TOO_MANY_FAILURES", "", "", ""))

    cancelled = sign(journal, make_order(3))
    journal.append_cancel("order-3")
    journal.write_signed("order-3", sign_plan(make_plan(cancelled, Purpose.CANCEL), cancelled.nonce))
    taken = sign(journal, make_order(4), private=True)
    journal.append_leak(SlotKey(CHAIN_ID, TRADER, taken.nonce), taken.tx_hash)
    journal.append_foreign(journal.read_slot(SlotKey(CHAIN_ID, TRADER, taken.nonce)), "0x" + "99" * 32)

    journal.append_order(waiting := make_order(5), make_quote(waiting))
    journal.reserve_nonce(CHAIN_ID, TRADER, waiting.order_id, Purpose.SWAP, 0)
    journal.append_denial(make_quote(refused := make_order(6)), make_denied(refused))
    journal.append_failure("order-7", GasError("none left"))
    journal.append_order(late := make_order(8), make_quote(late))
    journal.append_expiry("order-8")
    journal.append_revocation("revoke-1", promised=True)
    allowance = AllowanceKey(CHAIN_ID, TRADER, WETH.address, USDC.address)
    for amount in (2**256 - 1, 5, 0):
        journal.append_allowances({allowance: amount})
    live_by_intents(journal)
    journal.append_switch(EVERYTHING, SwitchState.PAUSED, "lunch")


def live_by_intents(journal: Journal) -> None:
    """Write an intent of each end, and one that a reorg took back."""
    for number, fate in enumerate((Fate.FILLED, Fate.LAPSED, Fate.WITHDRAWN, Fate.FILLED), 20):
        order = make_order(number, account=OWNER)
        journal.append_order(order, make_quote(order))
        decision = Decision(Channel.PUBLIC, (), (), 5, Stakes(0))
        journal.append_channel(order.order_id, decision)
        terms = make_intent(order)
        journal.intents.append_signed(make_quote(order), terms, sign_intent(order, terms))
        journal.intents.append_answer(order.order_id, "taken", "201")
        ended = make_end(fate, make_block(9))
        journal.intents.append_end(order.order_id, None, ended)
        if number % 2:
            journal.intents.append_end(order.order_id, ended, None)
        else:
            journal.intents.append_final(order.order_id)


def read_lines(path: Path) -> list[Line]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("select * from events order by seq").fetchall()
    connection.close()
    hashes = [GENESIS, *(row[-1] for row in rows)]
    return [Line.from_row(row, row[0] - 1, before) for row, before in zip(rows, hashes, strict=False)]


def get_all(book: Book) -> dict[str, object]:
    """Return all that a book holds."""
    everything = {name: value for name, value in vars(book).items() if name not in {"undo", "parents"}}
    return everything | {"parents": book.parents.views, "tallies": vars(book.parents)["_tallies"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The place of a journal that was closed with a checkpoint."""
    with Journal.open(tmp_path / "journal.sqlite", checkpoint_lines=1) as journal:
        live(journal)
    return tmp_path / "journal.sqlite"


def test_join_at_any_line_and_folded_on_is_the_whole_fold(path):
    lines = read_lines(path)
    assert {line.event.kind for line in lines} == set(EventKind)
    whole = fold((line.event, line.recorded_at) for line in lines)
    for cut in range(len(lines) + 1):
        before = fold((line.event, line.recorded_at) for line in lines[:cut])
        book = join(decode(encode(part)) for part in split(before))
        for line in lines[cut:]:
            apply(book, line.event, line.recorded_at)
        assert get_all(book) == get_all(whole)
        assert list(split(book)) == list(split(whole))


@pytest.mark.parametrize("step", [1, 3, 7])
def test_join_of_the_changes_between_lines_is_the_whole_fold(path, step):
    parts, book = [], Book()
    for number, line in enumerate(read_lines(path)):
        if number % step == 0:
            parts += split_changes(book)
            forget_changes(book, number)
        book.undo.line = line.seq
        apply(book, line.event, line.recorded_at)
    joined = join(decode(encode(part)) for part in (*parts, *split_changes(book)))
    assert get_all(joined) == get_all(book)
    assert list(split(joined)) == list(split(book))


def test_split_changes_after_going_back_holds_what_stands_in_the_order_it_came(path):
    lines = read_lines(path)
    book = Book()
    book.undo.keep()
    for seq, line in enumerate(lines, start=1):
        for ahead in (*lines[seq : seq + 5], line):
            book.undo.go_back()
            book.undo.line = ahead.seq
            with suppress(IllegalTransitionError, KeyError):
                apply(book, ahead.event, ahead.recorded_at)
        book.undo.keep()
        if seq == len(lines) // 2:
            parts = list(split_changes(book))
            forget_changes(book, seq)
    assert list(split(join([*parts, *split_changes(book)]))) == list(split(book))


def test_open_from_a_checkpoint_is_the_same_journal_and_goes_on(journal_place):
    with Journal.open(journal_place, checkpoint_lines=1) as journal:
        live(journal)
        before = journal.read_orders(), journal.read_slots(), journal.read_parents(), journal.read_open()
    with Journal.open(journal_place, checkpoint_lines=1) as journal:
        after = journal.read_orders(), journal.read_slots(), journal.read_parents(), journal.read_open()
        assert after == before
        journal.append_switch(EVERYTHING, SwitchState.RUNNING)
        lines = journal.verify()
        sign(journal, make_order(9))
    with Journal.open(journal_place) as journal:
        assert journal.verify() == lines + 4


def test_open_from_a_checkpoint_does_not_read_the_lines_before_it_and_verify_does(path):
    _execute(path, "update events set recorded_at = recorded_at + 1 where seq = 2")
    with Journal.open(path) as journal, pytest.raises(JournalError, match="line 2 does not follow line 1"):
        journal.verify()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("update checkpoint set body = x'78' where part = 1", "not what was written"),
        ("update checkpoint set seq = seq - 1", "that line is not the journal's"),
        ("update checkpoint set seq = seq + 9", "that line is not the journal's"),
        ("update checkpoint set hash = 'other'", "that line is not the journal's"),
        ("update checkpoint set format = '0/other'", "another release"),
        ("delete from checkpoint where part = 0", "not what was written"),
        ("delete from checkpoint where part > 0", "end too soon"),
        ("update checkpoint set part = part + 1000", "not what was written"),
    ],
)
def test_open_with_a_damaged_checkpoint_reads_every_line_and_says_so(path, caplog, damage, why):
    with Journal.open(path) as journal:
        before = journal.read_orders(), journal.read_slots()
    assert not caplog.messages
    _execute(path, damage)
    with Journal.open(path, checkpoint_lines=1) as journal:
        assert (journal.read_orders(), journal.read_slots()) == before
        journal.verify()
    with Journal.open(path):
        """It starts from the checkpoint that the last start left."""
    (line,) = caplog.messages
    assert why in line


def test_append_of_many_lines_adds_to_the_checkpoint_while_it_runs(tmp_path):
    path = tmp_path / "journal.sqlite"
    orders = [make_order(number, account=to_address(f"0x{number % 4 + 1:040x}")) for number in range(40)]
    with Journal.open(path, checkpoint_lines=10) as journal, ThreadPoolExecutor(4) as threads:
        list(threads.map(partial(sign, journal), orders))
        wait_for_savers()
        (saved,) = _execute(path, "select max(seq) from checkpoint")
        assert 10 <= saved <= 160
        _execute(path, "update events set recorded_at = recorded_at + 1 where seq = 2")
        with Journal.open(path) as after_a_crash:
            assert after_a_crash.read_orders() == journal.read_orders()
            assert after_a_crash.read_slots() == journal.read_slots()
            with pytest.raises(JournalError, match="line 2 does not follow line 1"):
                after_a_crash.verify()


def test_append_in_turns_by_two_processes_adds_to_one_checkpoint(journal_place):
    with (
        Journal.open(journal_place, checkpoint_lines=2) as one,
        Journal.open(journal_place, checkpoint_lines=3) as other,
    ):
        for number in range(30):
            account = to_address(f"0x{number % 2 + 1:040x}")
            sign((one, other)[number % 2], make_order(number, account=account))
            if number % 3:
                wait_for_savers()
        wait_for_savers()
        with Journal.open(journal_place) as third:
            assert third.read_orders() == one.read_orders() == other.read_orders()
            assert third.verify() == 120


def test_open_of_a_checkpoint_full_of_earlier_states_writes_it_anew(path):
    with Journal.open(path, checkpoint_lines=1) as journal:
        journal.append_switch(EVERYTHING, SwitchState.RUNNING)
        receipt = make_receipt(sign(journal, order := make_order(9)).tx_hash, order)
        (slot,) = journal.read_order("order-9").slots
        for _ in range(20):
            journal.append_receipt(journal.read_slot(slot), receipt, 1)
            wait_for_savers()
            journal.append_orphaned(journal.read_slot(slot))
            wait_for_savers()
    (ends,) = _execute(path, "select count(distinct seq) from checkpoint")
    assert ends > 20
    with Journal.open(path) as journal:
        journal.verify()
    assert _execute(path, "select count(distinct seq) from checkpoint") == (1,)


def test_verify_of_a_checkpoint_that_its_lines_do_not_give_refuses_and_forgets_it(path):
    last = read_lines(path)[-1]
    database = open_database(path, 5, 5)
    with database.connect() as connection, connection.begin():
        checkpoint = Checkpoint(connection, Tape(database, connection))
        checkpoint.clear()
        checkpoint.write(map(pack, split(Book())), End(), End(last.seq, last.hash))
    with Journal.open(path, checkpoint_lines=1) as journal:
        assert journal.read_orders() == ()
        with pytest.raises(JournalError, match="is not what the lines give"):
            journal.verify()
        journal.append_switch("0x", SwitchState.PAUSED)
    with Journal.open(path) as journal:
        assert journal.read_orders()
        journal.verify()


def test_close_while_another_holds_the_lock_ends_without_a_checkpoint(tmp_path, caplog):
    path = tmp_path / "journal.sqlite"
    follower = Journal.open(path, timeout_s=0.05, checkpoint_lines=1)
    with Journal.open(path) as journal:
        live(journal)
    follower.read_orders()
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    follower.close()
    holder.close()
    assert "no checkpoint" in caplog.text
    assert _execute(path, "select max(seq) from checkpoint") == (None,)


def wait_for_savers() -> None:
    for thread in threading.enumerate():
        if thread.name == SAVER:
            thread.join()


def _execute(path: Path, statement: str) -> tuple[int | None, ...] | None:
    connection = sqlite3.connect(path)
    found = connection.execute(statement).fetchone()
    connection.commit()
    connection.close()
    return found
