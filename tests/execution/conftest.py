"""The deployed chain, a fork of it for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import Node


@pytest.fixture
def sandbox(fork: Sandbox) -> Sandbox:
    return fork


@pytest.fixture
async def sandbox_node(sandbox: Sandbox) -> AsyncIterator[Node]:
    node = await Node.connect(sandbox.url)
    yield node
    await node.close()
