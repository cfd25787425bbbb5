"""Lyra deployed once; each test has the state to itself."""

from collections.abc import Iterator

import pytest
from lyra_chain import LyraChain


@pytest.fixture(scope="session")
def deployed_lyra() -> LyraChain:
    return LyraChain.start()


@pytest.fixture
def lyra(deployed_lyra: LyraChain) -> Iterator[LyraChain]:
    mark, timestamp = deployed_lyra.evm.snapshot(), deployed_lyra.evm.timestamp
    yield deployed_lyra
    deployed_lyra.evm.revert(mark)
    deployed_lyra.evm.timestamp = timestamp
