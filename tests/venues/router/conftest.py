"""One market per run; what a test does to it is undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from router_market import RouterMarket


@pytest.fixture(scope="session")
def deployed_router_market() -> RouterMarket:
    return RouterMarket.deploy()


@pytest.fixture
def market(deployed_router_market: RouterMarket) -> Iterator[RouterMarket]:
    mark = deployed_router_market.evm.snapshot()
    yield replace(deployed_router_market)
    deployed_router_market.evm.revert(mark)
