"""The journal: what a durable order costs (SQLite, WAL, synchronous=FULL), and how long a start takes after
a kill, from every line and from the checkpoint that the killed process kept.

Peer of the first: the bare ``INSERT`` and commit of the same bytes through Python's sqlite3.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

from benchmarks.row import Row, higher_is_better, lower_is_better
from onchain_exec.core import Address, to_address
from onchain_exec.execution.delivery.outcome import Accepted
from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal, SlotKey
from onchain_exec.oms.book import events
from onchain_exec.oms.book.book import Book
from onchain_exec.oms.book.events import Event, Reservation
from onchain_exec.oms.storage import open_database
from onchain_exec.oms.store import CHECKPOINT_LINES, Store

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from oms.builders import (
    CHAIN_ID,
    TRADER,
    make_order,
    make_quote,
    make_receipt,
    make_signed,
)
from oms.postgres import make_database, run_postgres

ORDERS = 300
LEASES = 200
PROCESSES = 4
RECOVERED, AT_ONCE = 100_000, 200


def run() -> list[Row]:
    """Measure the cost of durability, throughput, and replay."""
    with tempfile.TemporaryDirectory() as folder:
        durable_ms = _measure_durable(Path(folder, "durable.sqlite"))
        bare_ms = _measure_bare(Path(folder, "bare.sqlite"))
        one_per_s = _measure_orders(Path(folder, "one.sqlite"), 1)
        ten_per_s = _measure_orders(Path(folder, "ten.sqlite"), 10)
        killed, bare = Path(folder, "killed.sqlite"), Path(folder, "bare_lines.sqlite")
        _write_long(killed, CHECKPOINT_LINES)
        checkpointed = _measure_start(killed)
        _write_long(bare, sys.maxsize)
        replayed = _measure_start(bare)
    with run_postgres(fsync=True) as template:
        leases_per_s = _measure_leases(make_database(template, "leases"))
    peer, bare_per_s = "sqlite3, one bare insert", 1_000 / bare_ms[0]
    return [
        lower_is_better("nonce leased and bytes durable, p50", durable_ms[0], "ms", peer, bare_ms[0]),
        lower_is_better("nonce leased and bytes durable, p99", durable_ms[1], "ms", peer, bare_ms[1]),
        higher_is_better("orders, 1 signer", one_per_s, "per second", peer, bare_per_s),
        higher_is_better("orders, 10 signers", ten_per_s, "per second", peer, bare_per_s),
        Row(f"leases, {PROCESSES} processes", leases_per_s, "per second"),
        Row(f"recovery {RECOVERED} orders", checkpointed.seconds, "s"),
        Row(f"recovery {RECOVERED} orders, memory", checkpointed.megabytes, "MB"),
        Row(f"recovery {RECOVERED} orders, no checkpoint", replayed.seconds, "s"),
        Row(f"recovery {RECOVERED} orders, no checkpoint, memory", replayed.megabytes, "MB"),
    ]


def _measure_orders(path: Path, signers: int) -> float:
    """Return how many orders a second go from accepted to durable signed bytes, one thread per account;
    signing is not counted. Threads share flushes."""
    work = [
        [make_order(1_000_000 * signer + number, account=_account(signer)) for number in range(ORDERS)]
        for signer in range(signers)
    ]
    ready = [
        [(make_quote(order), make_signed(order, nonce)) for nonce, order in enumerate(orders)]
        for orders in work
    ]

    def trade(signer: int) -> None:
        for order, (quote, signed) in zip(work[signer], ready[signer], strict=True):
            journal.append_order(order, quote)
            journal.reserve_nonce(CHAIN_ID, order.account, order.order_id, Purpose.SWAP, 0)
            journal.write_signed(order.order_id, signed)

    with Journal.open(path, timeout_s=60) as journal, ThreadPoolExecutor(signers) as threads:
        started = time.perf_counter()
        list(threads.map(trade, range(signers)))
        return signers * ORDERS / (time.perf_counter() - started)


def _measure_leases(url: str) -> float:
    """Return how many nonces a second are leased by processes that each write an account."""
    store = Store(open_database(url, 5, 5), lambda: 1_700_000_000)
    orders = [
        make_order(1_000_000 * process + number, account=_account(process))
        for process in range(PROCESSES)
        for number in range(LEASES)
    ]
    store.append(lambda _: (events.order_accepted(order, make_quote(order)) for order in orders))
    store.close()
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        spans = pool.starmap(_lease, [(url, process) for process in range(PROCESSES)])
    return PROCESSES * LEASES / (max(ends for _, ends in spans) - min(starts for starts, _ in spans))


def _lease(url: str, process: int) -> tuple[float, float]:
    account = _account(process)
    with Journal.open(url, timeout_s=60) as journal:
        started = time.time()
        for number in range(LEASES):
            journal.reserve_nonce(CHAIN_ID, account, f"order-{1_000_000 * process + number}", Purpose.SWAP, 0)
        return started, time.time()


def _account(number: int) -> Address:
    return to_address(f"0x{number + 1:040x}")


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


class Start(NamedTuple):
    """What opening a journal took."""

    seconds: float
    megabytes: float


def _write_long(path: Path, checkpoint_lines: int) -> None:
    """Write the lives of RECOVERED orders in a process that is killed at the end."""
    process = multiprocessing.get_context("fork").Process(target=_live, args=(path, checkpoint_lines))
    process.start()
    process.join()


def _live(path: Path, checkpoint_lines: int) -> None:
    store = Store(open_database(path, 5, 5), lambda: 1_700_000_000, checkpoint_lines)
    for first in range(0, RECOVERED, AT_ONCE):
        store.append(partial(_trade_all, first))
    os.kill(os.getpid(), signal.SIGKILL)


def _measure_start(path: Path) -> Start:
    """Return the seconds that a new process takes to open the journal of a killed one, and its memory then. A
    start from every line leaves a checkpoint, whose writing counts."""
    done = subprocess.run(
        [sys.executable, "-c", _START, path], check=True, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    seconds, kilobytes = done.stdout.split()
    return Start(float(seconds), float(kilobytes) / 1_000)


_START = """
import resource, sys, time
from onchain_exec.oms import Journal
started = time.perf_counter()
with Journal.open(sys.argv[1]) as journal:
    assert not journal.read_open().slots
    print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def _trade_all(first: int, book: Book) -> Generator[Event]:
    """Yield the whole life of AT_ONCE orders, five lines each."""
    for number in range(first, first + AT_ONCE):
        order, slot = make_order(number), SlotKey(CHAIN_ID, TRADER, number)
        signed = make_signed(order, number)
        reservation = Reservation(order.order_id, Purpose.SWAP, "past")
        yield events.order_accepted(order, make_quote(order))
        yield events.nonce_reserved(slot, reservation, None, number)
        yield events.tx_signed(order.order_id, slot, signed, private=False)
        yield events.tx_sent(book.slots[slot], Accepted(signed.tx_hash))
        yield events.tx_mined(
            book.slots[slot], book.orders[order.order_id], make_receipt(signed.tx_hash, order)
        )


def _time(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100)
    return cuts[49] * 1_000, cuts[98] * 1_000
