"""The journal in a real PostgreSQL: one writer per account over many processes, fenced when it loses it.

Catalogue entries 7 (replicas with one key), 87 (locks that protect nothing).
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from oms.builders import CHAIN_ID, KEEPER, TRADER, make_order, make_quote, make_receipt, make_signed
from onchain_exec.core import Order
from onchain_exec.errors import FencedError, JournalError
from onchain_exec.execution.delivery.outcome import Accepted, Mined
from onchain_exec.execution.plan import DurableTx, Purpose
from onchain_exec.oms import Journal, OrderState, SlotKey
from onchain_exec.oms.storage.create import make_tables
from onchain_exec.oms.storage.migrate import find_versions, upgrade
from onchain_exec.oms.storage.schema import CURRENT_VERSION, METADATA, VERSION

TESTS = Path(__file__).parents[1]


def accept(journal: Journal, number: int, **terms: object) -> Order:
    order = make_order(number, **terms)
    journal.append_order(order, make_quote(order))
    return order


def reserve(journal: Journal, order: Order, floor: int = 0) -> int:
    return journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, floor)


def sign(journal: Journal, order: Order, nonce: int) -> DurableTx:
    return journal.write_signed(order.order_id, make_signed(order, nonce))


def execute(url: str, statement: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement))


def end_leases(url: str) -> None:
    """Let every lease have ended, as if its time had passed."""
    execute(url, "update leases set ends_at = 0")


def test_open_makes_the_tables_that_the_code_names(journal_place):
    Journal.open(journal_place).close()
    url = journal_place if "://" in journal_place else f"sqlite:///{journal_place}"
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION.name})
        assert compare_metadata(context, METADATA) == []
        assert context.get_current_revision() == CURRENT_VERSION
    Journal.open(journal_place).close()


def test_tables_made_at_once_are_those_that_every_revision_in_turn_makes(journal_place):
    url = journal_place if "://" in journal_place else f"sqlite:///{journal_place}"
    engine = create_engine(url, poolclass=NullPool)
    made = []
    for make in (make_tables, upgrade):
        with engine.connect() as connection, connection.begin():
            make(connection)
            made.append(describe(connection))
            METADATA.drop_all(connection)
    assert made[0] == made[1]
    assert len(made[0]) == len(METADATA.tables)
    assert CURRENT_VERSION in find_versions()


def describe(connection: Connection) -> dict[str, object]:
    """Return all that the database says of each table, and its rows."""
    asked, found = inspect(connection), {}
    for name in asked.get_table_names():
        columns = [(*column.items(),) for column in asked.get_columns(name)]
        unique = sorted(tuple(each["column_names"]) for each in asked.get_unique_constraints(name))
        rows = connection.execute(text(f"select * from {name}")).fetchall()
        found[name] = repr((columns, asked.get_pk_constraint(name), unique, asked.get_indexes(name), rows))
    return found


def test_journal_of_an_order_is_read_back_as_it_was_written(journal_place):
    with Journal.open(journal_place) as journal:
        order = accept(journal, 1)
        durable = sign(journal, order, reserve(journal, order))
        journal.append_send_outcome(durable, Accepted(durable.tx_hash))
        journal.append_outcome(durable, Mined(make_receipt(durable.tx_hash, order), 1))
        before = journal.read_orders(), journal.read_slots(), journal.read_positions()
        assert before[0][0].state is OrderState.FILLED
    with Journal.open(journal_place) as again:
        assert (again.read_orders(), again.read_slots(), again.read_positions()) == before


@pytest.mark.parametrize(
    "damage",
    [
        "delete from events where seq = 2",
        "delete from events where seq = 3",
        "update events set payload = replace(payload, '1000000000000000000', '1') where seq = 1",
    ],
)
def test_open_after_lines_were_changed_or_cut_is_refused(postgres_url, damage):
    with Journal.open(postgres_url) as journal:
        order = accept(journal, 1)
        sign(journal, order, reserve(journal, order))
    execute(postgres_url, damage)
    with pytest.raises(JournalError, match=r"was changed or moved|were cut"):
        Journal.open(postgres_url)


def test_open_many_at_once_in_an_empty_database_makes_one_journal(postgres_url):
    journals: list[Journal] = []
    threads = [threading.Thread(target=lambda: journals.append(Journal.open(postgres_url))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accept(journals[0], 1)
    assert [len(journal.read_orders()) for journal in journals] == [1] * 8
    for journal in journals:
        journal.close()


def test_open_a_database_of_another_program_is_refused(postgres_url):
    execute(postgres_url, "create table prices (at integer)")
    with pytest.raises(JournalError, match="tables prices"):
        Journal.open(postgres_url)


def test_open_without_a_server_says_so_and_hides_the_password(tmp_path):
    with pytest.raises(JournalError, match="cannot be used") as caught:
        Journal.open(f"postgresql+psycopg://trader:secret@/journal?host={tmp_path}")
    assert "secret" not in str(caught.value)
    assert "server" in str(caught.value)


def test_append_while_another_holds_the_lock_says_so(postgres_url):
    with Journal.open(postgres_url, timeout_s=0.1) as journal:
        engine = create_engine(postgres_url, poolclass=NullPool)
        with engine.begin() as holder:
            holder.execute(text("select * from head for update"))
            with pytest.raises(JournalError, match="lock timeout"):
                accept(journal, 1)
        assert accept(journal, 1)


def test_reserve_nonce_of_an_account_that_another_writes_is_fenced(postgres_url):
    with Journal.open(postgres_url) as writer, Journal.open(postgres_url) as standby:
        one, two, elsewhere = accept(writer, 1), accept(writer, 2), accept(writer, 3, account=KEEPER)
        assert reserve(writer, one) == 0
        with pytest.raises(FencedError, match="another process writes the account"):
            reserve(standby, two)
        assert reserve(standby, elsewhere) == 0


def test_reserve_nonce_after_the_writer_closed_takes_over_at_once(postgres_url):
    with Journal.open(postgres_url) as standby:
        with Journal.open(postgres_url) as writer:
            assert reserve(writer, accept(writer, 1)) == 0
        assert reserve(standby, accept(standby, 2)) == 0


def test_write_signed_by_a_paused_writer_that_wakes_up_is_fenced(postgres_url):
    with Journal.open(postgres_url, lease_s=60) as paused, Journal.open(postgres_url) as heir:
        one, two = accept(paused, 1), accept(paused, 2)
        assert reserve(paused, one) == 0
        with pytest.raises(FencedError):
            reserve(heir, two)
        end_leases(postgres_url)
        assert reserve(heir, two) == 0
        with pytest.raises(FencedError):
            sign(paused, one, 0)
        assert sign(heir, two, 0).nonce == 0
        with pytest.raises(FencedError):
            sign(paused, one, 0)
        with pytest.raises(FencedError):
            reserve(paused, one)
        assert [len(slot.attempts) for slot in heir.read_slots()] == [1]


def test_write_signed_in_a_later_tenure_of_the_same_writer_is_fenced(postgres_url):
    with Journal.open(postgres_url) as slow, Journal.open(postgres_url) as quick:
        one, two, three = (accept(slow, number) for number in range(3))
        reserve(slow, one)
        end_leases(postgres_url)
        sign(quick, two, reserve(quick, two))
        end_leases(postgres_url)
        assert reserve(slow, three) == 1
        with pytest.raises(FencedError):
            sign(slow, one, 0)


def test_write_signed_after_the_lease_ended_and_nobody_came_is_good(postgres_url):
    with Journal.open(postgres_url) as slow:
        order = accept(slow, 1)
        nonce = reserve(slow, order)
        end_leases(postgres_url)
        assert sign(slow, order, nonce).nonce == nonce


def test_reserve_nonce_ends_its_lease_as_long_after_as_was_said(postgres_url):
    with Journal.open(postgres_url, lease_s=1_000) as journal:
        reserve(journal, accept(journal, 1))
        engine = create_engine(postgres_url, poolclass=NullPool)
        with engine.begin() as connection:
            left_s = connection.execute(
                text("select ends_at - extract(epoch from clock_timestamp()) from leases")
            ).scalar_one()
        assert 0 < left_s <= 1_000


def test_follow_yields_what_others_append(journal_place):
    with Journal.open(journal_place) as journal, Journal.open(journal_place) as follower:
        accept(journal, 1)
        news = follower.follow(timeout_s=60)
        writing = threading.Thread(target=lambda: [accept(journal, number) for number in (2, 3)])
        writing.start()
        found = list(itertools.islice(news, 2))
        writing.join()
        assert [event.order_id for event in found] == ["order-2", "order-3"]
        news.close()


def test_follow_ends_when_nothing_comes(journal_place):
    with Journal.open(journal_place) as journal:
        accept(journal, 1)
        assert list(journal.follow(timeout_s=0.05)) == []


def test_follow_of_a_waiting_follower_is_woken(postgres_url):
    with Journal.open(postgres_url) as journal, Journal.open(postgres_url) as follower:
        news = follower.follow(timeout_s=60)
        timer = threading.Timer(0.2, accept, (journal, 1))
        timer.start()
        assert next(news).order_id == "order-1"
        timer.join()
        news.close()


def run_harness(url: str, leases: int) -> dict[str, Any]:
    """Run the harness in a process of its own, since it forks."""
    done = subprocess.run(
        [sys.executable, "-m", "oms.lease_harness", url, f"--leases={leases}"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
        check=True,
    )
    tally: dict[str, Any] = json.loads(done.stdout)
    return tally


@pytest.mark.parametrize(
    "leases", [200, pytest.param(10_000, marks=[pytest.mark.deep, pytest.mark.timeout(3_600)])]
)
def test_leases_of_8_processes_with_kills_are_unique_and_gapless(postgres_url, leases):
    tally = run_harness(postgres_url, leases)
    assert tally["faults"] == []
    assert tally["leases"] == leases
    assert tally["slots"] > leases // 2
    assert tally["kills"] >= leases // 25


def test_slot_of_a_dead_writer_is_free_when_its_lease_ends(postgres_url):
    with Journal.open(postgres_url, lease_s=60) as dead, Journal.open(postgres_url) as journal:
        reserve(dead, accept(dead, 1))
        slot = journal.read_slot(SlotKey(CHAIN_ID, TRADER, 0))
        assert not journal.is_abandoned(slot)
        end_leases(postgres_url)
        assert journal.is_abandoned(slot)
