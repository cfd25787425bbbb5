"""One chain per run; what a test does to it is undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from price_chain import PriceChain


@pytest.fixture(scope="session")
def deployed_price_chain() -> PriceChain:
    return PriceChain.deploy()


@pytest.fixture
def chain(deployed_price_chain: PriceChain) -> Iterator[PriceChain]:
    mark, now = deployed_price_chain.evm.snapshot(), deployed_price_chain.evm.timestamp
    yield replace(deployed_price_chain)
    deployed_price_chain.evm.revert(mark)
    deployed_price_chain.evm.timestamp = now
