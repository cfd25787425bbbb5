"""A sandbox that each test finds as the first one did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import Node


@pytest.fixture(scope="module")
def module_sandbox(local_chain: Sandbox) -> Iterator[Sandbox]:
    with local_chain.fork() as fork:
        yield fork


@pytest.fixture
def sandbox(module_sandbox: Sandbox) -> Iterator[Sandbox]:
    snapshot = module_sandbox.chain.snapshot()
    yield module_sandbox
    module_sandbox.chain.revert(snapshot)


@pytest.fixture
async def sandbox_node(sandbox: Sandbox) -> AsyncIterator[Node]:
    node = await Node.connect(sandbox.url)
    yield node
    await node.close()
