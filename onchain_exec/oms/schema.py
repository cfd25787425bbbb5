"""The journal's tables and its SQLite file: durable, private, and told apart from any other file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from onchain_exec.errors import JournalError

SCHEMA_VERSION: Final = 1

_metadata = MetaData()

JOURNAL: Final = Table("journal", _metadata, Column("schema_version", Integer, nullable=False))

EVENTS: Final = Table(
    "events",
    _metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("order_id", Text, nullable=False, index=True),
    Column("slot", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""One line per event, only ever inserted. ``seq`` counts from 1 without gaps."""


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turn what the database or file system says into JournalError."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error)
        raise JournalError(f"the journal {path} cannot be used: {cause}", todo=_get_advice(cause)) from error
    except OSError as error:
        raise JournalError(
            f"the journal {path} cannot be opened: {error.strerror}", todo="Choose a path you may write to"
        ) from error


def _get_advice(cause: str) -> str:
    if "locked" in cause:
        return "Another process holds it: wait, or end that process"
    if "not a database" in cause or "malformed" in cause:
        return "Choose another path, or restore the file from a copy; do not edit it"
    return "Check the disk and the file's permissions"


def open_engine(path: Path, timeout_s: float) -> Engine:
    """Return an engine on the SQLite file, made with mode 0600 if it does not exist.

    The driver begins no transaction by itself: reads take no lock, writers call `lock_for_writing`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"timeout": timeout_s, "check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _use_wal)
    return engine


def _use_wal(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")


def lock_for_writing(connection: Connection, *, survives_power_loss: bool = True) -> None:
    """Let the open transaction exclude every other writer, before it reads what it decides on.

    Any commit survives the end of the process. One that need not survive power loss is not flushed
    by itself, but never outlived by a later one either.
    """
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if survives_power_loss else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def require_schema(connection: Connection, path: Path) -> None:
    """Create the tables in an empty file, or check that the file is a journal of this version.

    Raises:
        JournalError: another program's database, or a journal of another version.
    """
    names = set(inspect(connection).get_table_names())
    if not names:
        _metadata.create_all(connection)
        connection.execute(insert(JOURNAL).values(schema_version=SCHEMA_VERSION))
        return
    if not {JOURNAL.name, EVENTS.name} <= names:
        raise JournalError(
            f"{path} is a database of another program (tables {', '.join(sorted(names))})",
            needed="a journal, or a path where none is yet",
            todo="Choose another path with --journal",
        )
    version = connection.execute(select(JOURNAL.c.schema_version)).scalar_one()
    if version != SCHEMA_VERSION:
        raise JournalError(
            f"the journal {path} has schema version {version}",
            needed=f"version {SCHEMA_VERSION}",
            todo="Use the release that wrote it, or upgrade this one",
        )
