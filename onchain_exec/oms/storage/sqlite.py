"""A journal in a SQLite file: for the processes of one machine."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from onchain_exec.oms.storage.driver import Driver
from onchain_exec.oms.storage.session import Session

log = logging.getLogger(__name__)

_POLL_S: Final = 0.02
_CHECKPOINT_PAGES: Final = 2_000
"""Whoever commits the page that makes the log so long copies it into the file, which takes two flushes and
some milliseconds: with SQLite's own 1,000 it is one order in 80, with these one in 160. The log has 8 MB."""
_FILL_ROOM: Final = "INSERT INTO room VALUES (zeroblob(8388608))"
_STEADY_FLUSHES: Final = 32
"""A process that has flushed so often writes orders, and goes on to."""


class SqliteFile:
    """The file at ``path``; it and its folders are made with mode 0600 and 0700 if they are not there."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        self.where, self._path, self._timeout_s = str(path), path, timeout_s
        self._flushes = 0

    def connect(self) -> Connection:
        """The driver begins no transaction by itself: reads take no lock."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        engine = create_engine(
            URL.create("sqlite", database=self.where),
            poolclass=NullPool,
            paramstyle="named",
            connect_args={"timeout": self._timeout_s, "check_same_thread": False, "isolation_level": None},
        )
        event.listen(engine, "connect", _use_wal)
        return engine.connect()

    def lock_for_opening(self, connection: Connection) -> None:
        self.begin_writing(Driver(connection), survives_power_loss=True)

    def begin_writing(self, driver: Driver, *, survives_power_loss: bool) -> None:
        self._flushes += survives_power_loss
        if survives_power_loss and self._flushes == _STEADY_FLUSHES:
            _lengthen_log(driver)
        driver.run_text(f"PRAGMA synchronous={'FULL' if survives_power_loss else 'NORMAL'}")
        driver.run_text("BEGIN IMMEDIATE")

    def announce(self, driver: Driver, seq: int) -> None:
        """Nothing to do: followers poll the file."""

    def open_bell(self) -> PollingBell:
        return PollingBell()

    def open_leases(self, connection: Connection) -> Session:
        return Session(self._path)


class PollingBell:
    """Rings every 20 ms."""

    def wait(self, timeout_s: float) -> None:
        time.sleep(min(timeout_s, _POLL_S))

    def close(self) -> None:
        """Nothing to release."""


def _use_wal(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")


def _lengthen_log(driver: Driver) -> None:
    """Make the log as long as it gets, once: to flush what is written over takes half as long as to flush
    what makes the file longer. What does it is rolled back, when most of it was too much for the cache and is
    in the log."""
    driver.run_text("PRAGMA cache_size=-256")
    driver.run_text("BEGIN IMMEDIATE")
    try:
        driver.run_text("CREATE TABLE room (zeros BLOB)")
        driver.run_text(_FILL_ROOM)
    except DBAPIError as error:  # a full disk, say: the log grows as it did
        log.info("the journal's log is not lengthened: %s", error)
    with suppress(DBAPIError):  # SQLite has rolled back itself what failed so
        driver.run_text("ROLLBACK")
    driver.run_text("PRAGMA cache_size=-2000")
