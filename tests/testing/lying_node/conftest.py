"""A chain per test, and a lying node in front of it.

A chain that is reverted between tests would not do: anvil may still be mining what a test sent last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onchain_exec.chain import LocalChain
from onchain_exec.testing.lying_node import LyingNode


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(extra=("--order", "fifo")) as started:
        yield started


@pytest.fixture
def node(chain: LocalChain) -> Iterator[LyingNode]:
    with LyingNode.start(chain.url, seed=7) as started:
        yield started
