"""The journal's tables, the same in every database."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData()

_SEQ: Final = BigInteger().with_variant(Integer, "sqlite")


def _key(name: str, kind: Any) -> Column[Any]:
    """Return a column of the primary key, which is given and never counted up by the database."""
    return Column(name, kind, primary_key=True, autoincrement=False)


def _filled(kind: Any, *names: str) -> tuple[Column[Any], ...]:
    """Return columns that are never empty."""
    return tuple(Column(name, kind, nullable=False) for name in names)


VERSION: Final = Table(
    "journal_version",
    METADATA,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="journal_version_pkc"),
)
"""The revision of the schema, as alembic keeps it."""

HEAD: Final = Table("head", METADATA, _key("id", Integer), *_filled(_SEQ, "seq"), *_filled(Text, "hash"))
"""One row: the last line. Who writes locks it; lines that were cut from the end do not match it."""

EVENTS: Final = Table(
    "events",
    METADATA,
    _key("seq", _SEQ),
    Column("event_id", Text, nullable=False, unique=True),
    *_filled(Text, "kind", "order_id", "slot"),
    *_filled(BigInteger, "recorded_at"),
    *_filled(Text, "payload", "hash"),
)
"""One line per event, only ever inserted. ``seq`` counts from 1 without gaps."""

LEASES: Final = Table(
    "leases",
    METADATA,
    _key("chain_id", BigInteger),
    _key("account", Text),
    *_filled(Text, "owner"),
    *_filled(BigInteger, "epoch"),
    *_filled(Float(53), "ends_at"),
)
"""Who may write an account's slots until when (unix seconds of the database's clock). ``epoch``
counts the owners. Used where several hosts share a journal; no part of its lines."""

CHECKPOINT: Final = Table(
    "checkpoint",
    METADATA,
    _key("part", Integer),
    *_filled(_SEQ, "seq"),
    *_filled(Text, "hash", "format", "digest"),
    *_filled(LargeBinary, "body"),
)
"""What the lines up to ``seq`` give, in parts: a copy, so that a start need not read them all."""

SIGNED_HEAD: Final = Table(
    "signed_head", METADATA, _key("id", Integer), *_filled(_SEQ, "number", "dropped", "kept")
)
"""One row: the number of the last change of a signed order, the highest one of an order that was dropped,
and how many orders are kept. Who writes locks it."""

SIGNED_ORDERS: Final = Table(
    "signed_orders",
    METADATA,
    _key("digest", Text),
    Column("number", _SEQ, nullable=False, unique=True),
    *_filled(_SEQ, "entered"),
    *_filled(BigInteger, "chain_id"),
    *_filled(Text, "contract", "owner"),
    *_filled(BigInteger, "lane", "seq", "deadline_at", "received_at"),
    *_filled(Integer, "ended"),
    *_filled(BigInteger, "base_block"),
    *_filled(Text, "base_filled", "filled"),
    *_filled(Integer, "withdrawn"),
    *_filled(Text, "refusal", "terms"),
    UniqueConstraint("chain_id", "contract", "owner", "lane", "seq"),
)
"""Signed orders that rest, or rested. ``number`` is that of their last change, ``entered`` of their first."""

SIGNED_FILLS: Final = Table(
    "signed_fills",
    METADATA,
    _key("block_hash", Text),
    _key("log_index", BigInteger),
    Column("digest", Text, nullable=False, index=True),
    *_filled(BigInteger, "block_number"),
    *_filled(Text, "tx_hash", "amount_in", "amount_out", "fee"),
)
"""What was filled of signed orders on chain, by where it is told."""

CURRENT_VERSION: Final = "0004"
