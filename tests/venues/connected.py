"""A node for the length of a block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from onchain_exec.chain import Node


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Node]:
    """Connect to the node at ``url``, and close the connection."""
    node = await Node.connect(url)
    try:
        yield node
    finally:
        await node.close()
