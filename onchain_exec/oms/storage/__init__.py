"""Where a journal's lines are kept: one schema, in a SQLite file or in PostgreSQL."""

from typing import TYPE_CHECKING

from onchain_exec.lazy import load_when_asked

if TYPE_CHECKING:
    from onchain_exec.oms.storage.database import Database, Leases
    from onchain_exec.oms.storage.driver import Driver
    from onchain_exec.oms.storage.opening import open_database

__all__ = ["Database", "Driver", "Leases", "open_database"]

load_when_asked(__name__)
