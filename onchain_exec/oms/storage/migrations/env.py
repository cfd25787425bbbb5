"""What alembic runs: the revisions, on the connection that `onchain_exec.oms.storage.migrate` hands over."""

from __future__ import annotations

from alembic import context

from onchain_exec.oms.storage.schema import METADATA, VERSION

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION.name,
)
context.run_migrations()
