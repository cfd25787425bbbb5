"""A real chain per module, a node on it, and a server that fails on demand.

The chain mines when it is told to: anvil answers a send before the block that it would mine by itself,
so that a test could meet a block of the test before it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fault_server import FaultServer

from onchain_exec.chain import LocalChain, Node


@pytest.fixture(scope="module")
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(extra=("--no-mining",)) as started:
        yield started


@pytest.fixture
async def node(chain: LocalChain) -> AsyncIterator[Node]:
    connected = await Node.connect(chain.url, 1337)
    yield connected
    await connected.close()


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as running:
        yield running
