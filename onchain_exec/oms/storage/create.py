"""The tables of an empty database, made at once: the same that every revision in turn would make."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, insert
from sqlalchemy.schema import CreateIndex, CreateTable

from onchain_exec.oms.line import GENESIS
from onchain_exec.oms.storage.driver import Driver, Statement
from onchain_exec.oms.storage.schema import CURRENT_VERSION, HEAD, METADATA, SIGNED_HEAD, VERSION

_TABLES: Final = tuple(Statement(CreateTable(table)) for table in METADATA.sorted_tables)
_INDEXES: Final = tuple(
    Statement(CreateIndex(index)) for table in METADATA.sorted_tables for index in table.indexes
)
_VERSION: Final = Statement(insert(VERSION))
_HEAD: Final = Statement(insert(HEAD))
_SIGNED_HEAD: Final = Statement(insert(SIGNED_HEAD))


def make_tables(connection: Connection) -> None:
    """Make the tables, their indexes and their first rows."""
    driver = Driver(connection)
    for made in (*_TABLES, *_INDEXES):
        driver.run(made)
    driver.run(_VERSION, version_num=CURRENT_VERSION)
    driver.run(_HEAD, id=1, seq=0, hash=GENESIS)
    driver.run(_SIGNED_HEAD, id=1, number=0, dropped=0, kept=0)
