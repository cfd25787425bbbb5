"""The journal's tables, the same in every database."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData()

_SEQ = BigInteger().with_variant(Integer, "sqlite")

VERSION: Final = Table("journal_version", METADATA, Column("version_num", Text, primary_key=True))
"""The revision of the schema, as alembic keeps it."""

HEAD: Final = Table(
    "head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", _SEQ, nullable=False),
    Column("hash", Text, nullable=False),
)
"""One row: the last line. Who writes locks it; lines that were cut from the end do not match it."""

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("seq", _SEQ, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("slot", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""One line per event, only ever inserted. ``seq`` counts from 1 without gaps."""

LEASES: Final = Table(
    "leases",
    METADATA,
    Column("chain_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("ends_at", Float(53), nullable=False),
)
"""Who may write an account's slots until when (unix seconds of the database's clock). ``epoch``
counts the owners. Used where several hosts share a journal; no part of its lines."""

CHECKPOINT: Final = Table(
    "checkpoint",
    METADATA,
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("seq", _SEQ, nullable=False),
    Column("hash", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""What the lines up to ``seq`` give, in parts: a copy, so that a start need not read them all."""

SIGNED_HEAD: Final = Table(
    "signed_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", _SEQ, nullable=False),
    Column("dropped", _SEQ, nullable=False),
    Column("kept", _SEQ, nullable=False),
)
"""One row: the number of the last change of a signed order, the highest one of an order that was dropped,
and how many orders are kept. Who writes locks it."""

SIGNED_ORDERS: Final = Table(
    "signed_orders",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("number", _SEQ, nullable=False, unique=True),
    Column("entered", _SEQ, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("contract", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("lane", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("deadline_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("ended", Integer, nullable=False),
    Column("base_block", BigInteger, nullable=False),
    Column("base_filled", Text, nullable=False),
    Column("filled", Text, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("refusal", Text, nullable=False),
    Column("terms", Text, nullable=False),
    UniqueConstraint("chain_id", "contract", "owner", "lane", "seq"),
)
"""Signed orders that rest, or rested. ``number`` is that of their last change, ``entered`` of their first."""

SIGNED_FILLS: Final = Table(
    "signed_fills",
    METADATA,
    Column("block_hash", Text, primary_key=True),
    Column("log_index", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", Text, nullable=False, index=True),
    Column("block_number", BigInteger, nullable=False),
    Column("tx_hash", Text, nullable=False),
    Column("amount_in", Text, nullable=False),
    Column("amount_out", Text, nullable=False),
    Column("fee", Text, nullable=False),
)
"""What was filled of signed orders on chain, by where it is told."""

CURRENT_VERSION: Final = "0004"
