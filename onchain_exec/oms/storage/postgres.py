"""A journal in PostgreSQL: for many processes on many hosts (the extra ``postgres``)."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import URL, Connection, create_engine, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from onchain_exec.errors import MissingToolError
from onchain_exec.oms.storage.driver import Driver
from onchain_exec.oms.storage.row_leases import RowLeases

try:
    import psycopg
except ImportError as error:
    raise MissingToolError(
        "psycopg is not installed",
        needed="the PostgreSQL driver",
        todo="pip install 'onchain-exec[postgres]'",
    ) from error

_CHANNEL: Final = "journal"
_OPENING_LOCK: Final = 0x6A6F75726E616C  # "journal", in ASCII


class PostgresDatabase:
    """The database of a URL. ``timeout_s`` bounds the wait for other writers, ``lease_s`` is how long
    an account stays a writer's after its last word."""

    def __init__(self, url: URL, timeout_s: float, lease_s: float) -> None:
        self.where = url.render_as_string(hide_password=True)
        self._url, self._timeout_s, self._lease_s = url, timeout_s, lease_s

    def connect(self) -> Connection:
        """The journal's commits wait for the disk, unless they say otherwise."""
        wait_ms = int(self._timeout_s * 1_000)
        engine = create_engine(
            self._url, poolclass=NullPool, connect_args={"options": f"-c lock_timeout={wait_ms}"}
        )
        return engine.connect()

    def begin_writing(self, driver: Driver, *, survives_power_loss: bool) -> None:
        if not survives_power_loss:
            driver.run_text("SET LOCAL synchronous_commit = off")

    def lock_for_opening(self, connection: Connection) -> None:
        connection.execute(select(func.pg_advisory_xact_lock(_OPENING_LOCK)))

    def announce(self, driver: Driver, seq: int) -> None:
        driver.run_text(f"NOTIFY {_CHANNEL}, '{seq}'")

    def open_bell(self) -> ListeningBell:
        return ListeningBell(self._url)

    def open_leases(self, connection: Connection) -> RowLeases:
        return RowLeases(connection, self._lease_s)


class ListeningBell:
    """LISTEN on a connection of its own."""

    def __init__(self, url: URL) -> None:
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection = engine.connect()
        self._connection.exec_driver_sql(f"LISTEN {_CHANNEL}")

    def wait(self, timeout_s: float) -> None:
        """Return at the first notification; PostgreSQL keeps those that came since the last wait."""
        driver: psycopg.Connection[Any] = self._connection.connection.dbapi_connection  # type: ignore[assignment]
        try:
            for _ in driver.notifies(timeout=timeout_s, stop_after=1):
                pass
        except psycopg.Error as error:
            raise DBAPIError("LISTEN", None, error) from error

    def close(self) -> None:
        self._connection.close()
