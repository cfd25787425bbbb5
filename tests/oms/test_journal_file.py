"""A journal file that was damaged, is another program's, or is in use."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from oms.builders import CHAIN_ID, make_order, make_quote, make_signed
from onchain_exec.errors import JournalError
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import EVERYTHING, Journal, OrderState, SwitchState
from onchain_exec.oms.storage.schema import CURRENT_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "journal.sqlite"


def work(journal: Journal) -> None:
    """Take an order to where its swap bytes are durable."""
    order = make_order()
    journal.append_order(order, make_quote(order))
    nonce = journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, 0)
    journal.write_signed(order.order_id, make_signed(order, nonce))


@pytest.mark.parametrize("column", ["event_id", "kind", "order_id", "recorded_at", "payload", "hash", "seq"])
def test_open_after_a_line_was_changed_is_refused(path, column):
    with Journal.open(path) as journal:
        work(journal)
    change = {
        "event_id": "event_id || 'x'",
        "kind": "'order_denied'",
        "order_id": "'order-2'",
        "recorded_at": "recorded_at + 1",
        "payload": "replace(payload, '1000000000000000000', '1000000000000000001')",
        "hash": "substr(hash, 2) || '0'",
        "seq": "seq + 100",
    }[column]
    _execute(path, f"update events set {column} = {change} where seq = 1")
    with pytest.raises(JournalError, match="was changed or moved"):
        Journal.open(path)


def test_open_after_a_line_was_deleted_is_refused(path):
    with Journal.open(path) as journal:
        work(journal)
    _execute(path, "delete from events where seq = 2")
    with pytest.raises(JournalError, match="line 3 does not follow line 1"):
        Journal.open(path)


def test_log_of_a_journal_that_is_written_steadily_is_made_long_at_once_and_nothing_else(path):
    with Journal.open(path) as journal, Journal.open(path) as other:
        for number in range(40):
            journal.append_switch(f"venue:{number}", SwitchState.PAUSED)
        log = path.with_name(path.name + "-wal")
        assert log.stat().st_size >= 2**23
        assert path.stat().st_size < 2**20
        assert len(other.read_switches()) == 40
        other.append_switch(EVERYTHING, SwitchState.PAUSED)
        assert len(journal.read_switches()) == 41
    assert not log.exists()
    with Journal.open(path) as again:
        assert len(again.read_switches()) == 41
        assert again.verify() == 41


def test_open_a_file_of_another_program_is_refused(path):
    path.parent.mkdir()
    _execute(path, "create table prices (at integer)")
    with pytest.raises(JournalError, match="tables prices"):
        Journal.open(path)


def test_open_a_newer_schema_is_refused(path):
    Journal.open(path).close()
    _execute(path, "update journal_version set version_num = 99")
    with pytest.raises(JournalError, match="schema version 99"):
        Journal.open(path)


def test_open_an_older_schema_brings_it_up_to_date(path):
    with Journal.open(path) as journal:
        work(journal)
        before = journal.read_orders(), journal.read_slots()
    for later in ("checkpoint", "signed_head", "signed_orders", "signed_fills"):
        _execute(path, f"drop table {later}")
    _execute(path, "create index ix_events_order_id on events (order_id)")
    _execute(path, "update journal_version set version_num = '0001'")
    with Journal.open(path) as journal:
        assert (journal.read_orders(), journal.read_slots()) == before
    with sqlite3.connect(path) as connection:
        (version,) = connection.execute("select version_num from journal_version").fetchone()
        indices = connection.execute("select name from sqlite_master where name like 'ix_events%'").fetchall()
    connection.close()
    assert (version, indices) == (CURRENT_VERSION, [])


def test_open_a_file_that_is_no_database_is_refused(path):
    path.parent.mkdir()
    path.write_bytes(b"orders since Monday\n" * 100)
    with pytest.raises(JournalError, match="not a database"):
        Journal.open(path)


def test_open_a_directory_is_refused(tmp_path):
    with pytest.raises(JournalError, match="cannot be opened"):
        Journal.open(tmp_path)


def test_append_while_another_holds_the_lock_says_so(path):
    with Journal.open(path, timeout_s=0.05) as journal:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        order = make_order()
        with pytest.raises(JournalError, match="locked"):
            journal.append_order(order, make_quote(order))
        holder.execute("ROLLBACK")
        holder.close()
        assert journal.append_order(order, make_quote(order)).state is OrderState.NEW


def _execute(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()
