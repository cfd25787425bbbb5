"""Signed orders that rest, kept beside the journal's lines, and what was filled of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    head = op.create_table(
        "signed_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", seq, nullable=False),
        sa.Column("dropped", seq, nullable=False),
        sa.Column("kept", seq, nullable=False),
    )
    op.create_table(
        "signed_orders",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("number", seq, nullable=False, unique=True),
        sa.Column("entered", seq, nullable=False),
        sa.Column("chain_id", sa.BigInteger, nullable=False),
        sa.Column("contract", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("lane", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("deadline_at", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("ended", sa.Integer, nullable=False),
        sa.Column("base_block", sa.BigInteger, nullable=False),
        sa.Column("base_filled", sa.Text, nullable=False),
        sa.Column("filled", sa.Text, nullable=False),
        sa.Column("withdrawn", sa.Integer, nullable=False),
        sa.Column("refusal", sa.Text, nullable=False),
        sa.Column("terms", sa.Text, nullable=False),
        sa.UniqueConstraint("chain_id", "contract", "owner", "lane", "seq"),
    )
    op.create_table(
        "signed_fills",
        sa.Column("block_hash", sa.Text, primary_key=True),
        sa.Column("log_index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False, index=True),
        sa.Column("block_number", sa.BigInteger, nullable=False),
        sa.Column("tx_hash", sa.Text, nullable=False),
        sa.Column("amount_in", sa.Text, nullable=False),
        sa.Column("amount_out", sa.Text, nullable=False),
        sa.Column("fee", sa.Text, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "number": 0, "dropped": 0, "kept": 0}])
