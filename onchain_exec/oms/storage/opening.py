"""From what the user names to the database it is."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from onchain_exec.errors import ConfigError
from onchain_exec.oms.storage.database import Database
from onchain_exec.oms.storage.sqlite import SqliteFile

_DRIVERS: Final = ("postgresql", "postgresql+psycopg")


def open_database(where: str | Path, timeout_s: float, lease_s: float) -> Database:
    """Return the database of a path, or of a ``postgresql+psycopg://`` URL.

    Raises:
        ConfigError: a URL of something else. It is not shown: it may hold a password.
        MissingToolError: the extra ``postgres`` is not installed.
    """
    if "://" not in str(where):
        return SqliteFile(Path(where).expanduser().absolute(), timeout_s)
    url = _parse_url(str(where))
    from onchain_exec.oms.storage.postgres import PostgresDatabase  # noqa: PLC0415 (an extra)

    return PostgresDatabase(url, timeout_s, lease_s)


def _parse_url(text: str) -> URL:
    try:
        url = make_url(text)
        if url.drivername in _DRIVERS:
            return url
    except (ArgumentError, ValueError):  # not chained: its text can hold a part of the URL
        pass
    raise ConfigError(
        "the journal's URL names no PostgreSQL database",
        needed="postgresql+psycopg://USER:PASSWORD@HOST[:PORT]/DATABASE, or the path of a file",
    )
