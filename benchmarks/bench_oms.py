"""The journal: what a durable order costs (SQLite, WAL, synchronous=FULL), and how long a start takes.

Peer of the first: the bare ``INSERT`` and commit of the same bytes through Python's sqlite3.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

from benchmarks.row import Row, lower_is_better
from onchain_exec.execution.outcome import Accepted
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal, SlotKey
from onchain_exec.oms.book import events
from onchain_exec.oms.book.events import Event, Reservation
from onchain_exec.oms.book.fold import Book
from onchain_exec.oms.storage import open_database
from onchain_exec.oms.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from oms.builders import (
    CHAIN_ID,
    TRADER,
    make_order,
    make_quote,
    make_receipt,
    make_signed,
)

ORDERS = 300
LINES = 100_000
LINES_PER_ORDER = 5


def run() -> list[Row]:
    """Measure the cost of durability and of replay."""
    with tempfile.TemporaryDirectory() as folder:
        durable_ms = _measure_durable(Path(folder, "durable.sqlite"))
        bare_ms = _measure_bare(Path(folder, "bare.sqlite"))
        replay_s = _measure_replay(Path(folder, "long.sqlite"))
    peer = "sqlite3, one bare insert"
    return [
        lower_is_better("nonce leased and bytes durable, p50", durable_ms[0], "ms", peer, bare_ms[0]),
        lower_is_better("nonce leased and bytes durable, p99", durable_ms[1], "ms", peer, bare_ms[1]),
        Row(f"recovery {LINES} journal lines", replay_s, "s"),
    ]


def _measure_durable(path: Path) -> tuple[float, float]:
    """Return (p50, p99) ms from a decision to durable signed bytes; signing is not counted."""
    times = []
    with Journal.open(path) as journal:
        for number in range(ORDERS):
            order = make_order(number)
            journal.append_order(order, make_quote(order))
            signed = make_signed(order, number)
            started = time.perf_counter()
            journal.reserve_nonce(CHAIN_ID, TRADER, order.order_id, Purpose.SWAP, 0)
            journal.write_signed(order.order_id, signed)
            times.append(time.perf_counter() - started)
    return _percentiles(times)


def _measure_bare(path: Path) -> tuple[float, float]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("create table lines (seq integer primary key, payload text)")
    payload = "x" * 1_000

    def insert() -> None:
        connection.execute("insert into lines (payload) values (?)", (payload,))

    times = [_time(insert) for _ in range(ORDERS)]
    connection.close()
    return _percentiles(times)


def _measure_replay(path: Path) -> float:
    store = Store(open_database(path, 5, 5), lambda: 1_700_000_000)
    store.append(_trade_all)
    store.close()
    started = time.perf_counter()
    with Journal.open(path) as journal:
        assert not journal.read_open().slots
        return time.perf_counter() - started


def _trade_all(book: Book) -> Iterator[Event]:
    """Yield the whole life of as many orders as give LINES lines."""
    for number in range(LINES // LINES_PER_ORDER):
        order, slot = make_order(number), SlotKey(CHAIN_ID, TRADER, number)
        signed = make_signed(order, number)
        yield events.order_accepted(order, make_quote(order))
        yield events.nonce_reserved(slot, Reservation(order.order_id, Purpose.SWAP, "past"), None, number)
        yield events.tx_signed(order.order_id, slot, signed)
        yield events.tx_sent(book.slots[slot], Accepted(signed.tx_hash))
        yield events.tx_mined(book.slots[slot], order, make_receipt(signed.tx_hash, order))


def _time(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100)
    return cuts[49] * 1_000, cuts[98] * 1_000
