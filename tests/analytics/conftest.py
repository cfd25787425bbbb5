"""The router's market: real pools and our Router in this process, with us as the trader."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

VENUES = Path(__file__).parents[1] / "venues"
sys.path[:0] = [str(VENUES), str(VENUES / "router")]

from router_market import RouterMarket  # noqa: E402 - found by the line above


@pytest.fixture(scope="session")
def watched_market() -> RouterMarket:
    return RouterMarket.deploy()
