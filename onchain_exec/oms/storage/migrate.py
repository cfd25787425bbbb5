"""Bring a journal's tables up to date by alembic's revisions, in the transaction that is open."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_FOLDER: Final = Path(__file__).with_name("migrations")
_ONE_AT_A_TIME: Final = threading.Lock()  # alembic's operations are bound to the process, not to a connection


def find_versions() -> frozenset[str]:
    """Return every revision that this release knows."""
    scripts = ScriptDirectory.from_config(_get_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def upgrade(connection: Connection) -> None:
    """Run the revisions that the database lacks."""
    config = _get_config()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")


def _get_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config
