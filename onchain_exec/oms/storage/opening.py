"""From what the user names to the database it is."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url

from onchain_exec.oms.storage.database import Database
from onchain_exec.oms.storage.sqlite import SqliteFile


def open_database(where: str | Path, timeout_s: float, lease_s: float) -> Database:
    """Return the database of a path, or of a ``postgresql+psycopg://`` URL.

    Raises:
        MissingToolError: the extra ``postgres`` is not installed.
    """
    if "://" not in str(where):
        return SqliteFile(Path(where).expanduser().absolute(), timeout_s)
    from onchain_exec.oms.storage.postgres import PostgresDatabase  # noqa: PLC0415 (an extra)

    return PostgresDatabase(make_url(str(where)), timeout_s, lease_s)
