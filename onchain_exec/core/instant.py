"""Instants as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def format_time(unix_s: int) -> str:
    """Return unix seconds as UTC text to the second: ``"2026-11-21 21:14:59 UTC"``."""
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
