"""A chain per module, found by each test as the first one did, and a lying node in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onchain_exec.chain import LocalChain
from onchain_exec.testing.lying_node import LyingNode


@pytest.fixture(scope="module")
def module_chain() -> Iterator[LocalChain]:
    with LocalChain.start(extra=("--order", "fifo")) as started:
        yield started


@pytest.fixture
def chain(module_chain: LocalChain) -> Iterator[LocalChain]:
    snapshot = module_chain.snapshot()
    yield module_chain
    module_chain.request("anvil_dropAllTransactions")
    module_chain.revert(snapshot)


@pytest.fixture
def node(chain: LocalChain) -> Iterator[LyingNode]:
    with LyingNode.start(chain.url, seed=7) as started:
        yield started
