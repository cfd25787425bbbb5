"""Whether a database holds a journal that this release understands."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, inspect, select

from onchain_exec.errors import JournalError
from onchain_exec.oms.storage.create import make_tables
from onchain_exec.oms.storage.driver import Driver, Statement
from onchain_exec.oms.storage.schema import CURRENT_VERSION, VERSION

_FOUND: Final = Statement(select(VERSION.c.version_num))


def require_schema(connection: Connection, where: str) -> None:
    """Make the tables in an empty database, bring older ones up to date, or check that they are right.

    Raises:
        JournalError: another program's database, or a journal of a newer release.
    """
    names = set(inspect(connection).get_table_names())
    if names and VERSION.name not in names:
        raise JournalError(
            f"{where} is a database of another program (tables {', '.join(sorted(names))})",
            needed="a journal, or a place where none is yet",
            todo="Choose another one with --journal",
        )
    if not names:
        make_tables(connection)
        return
    found = Driver(connection).run(_FOUND).fetchone()[0]
    if found == CURRENT_VERSION:
        return
    from onchain_exec.oms.storage.migrate import find_versions, upgrade  # noqa: PLC0415 (slow, and seldom needed)

    if found not in find_versions():
        raise JournalError(
            f"the journal {where} has schema version {found}",
            needed=f"version {CURRENT_VERSION} or one before it",
            todo="Use the release that wrote it, or upgrade this one",
        )
    upgrade(connection)
