"""One market per test module; its pools are made anew per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from evm_market import Market


@pytest.fixture(scope="session")
def deployed_market() -> Market:
    return Market.deploy()


@pytest.fixture
def market(deployed_market: Market) -> Iterator[Market]:
    """The real contracts without pools; what the test does to them is undone."""
    mark = deployed_market.evm.snapshot()
    yield deployed_market
    deployed_market.evm.revert(mark)
