"""Lines may say that bytes are private.

They say it in their payload, so no table changes for it: the version is there so that a release which
would publish such bytes does not open the journal. An index that nothing reads by goes.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop the index."""
    op.drop_index("ix_events_order_id", "events")
