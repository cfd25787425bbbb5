"""Bring a journal's tables up to date by alembic's revisions, in the transaction that is open."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from onchain_exec.oms.storage.schema import METADATA, VERSION

_FOLDER: Final = Path(__file__).with_name("migrations")
_ONE_AT_A_TIME: Final = threading.Lock()  # alembic's operations are bound to the process, not to a connection


def find_versions() -> frozenset[str]:
    """Return every revision that this release knows."""
    return frozenset(script.revision for script in _get_scripts().walk_revisions())


def upgrade(connection: Connection) -> None:
    """Run the revisions that the database lacks."""
    scripts = _get_scripts()
    run = EnvironmentContext(
        Config(),
        scripts,
        fn=lambda revision, _: scripts._upgrade_revs("head", revision),
        destination_rev="head",
    )
    with _ONE_AT_A_TIME, run:
        run.configure(connection=connection, target_metadata=METADATA, version_table=VERSION.name)
        run.run_migrations()


def _get_scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_FOLDER), version_locations=[str(_FOLDER)])
