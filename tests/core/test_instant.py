"""Instants as people read them."""

from __future__ import annotations

from onchain_exec.core import format_time


def test_format_time_is_utc_to_the_second() -> None:
    assert format_time(1_795_295_884) == "2026-11-21 21:18:04 UTC"
