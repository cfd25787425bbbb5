"""A book and a chain for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from app.signed_book.settle_chain import Deployed, SettleChain, deploy_settle_chain, load_settle_chain
from oms.signed_book.resting import place_journal

from onchain_exec.app.signed_book import Intake, Verifier
from onchain_exec.chain import Node
from onchain_exec.oms.signed_book import SignedBook


@pytest.fixture(scope="session")
def deployed_settle(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    return deploy_settle_chain(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def shared_chain(deployed_settle: Deployed) -> Iterator[SettleChain]:
    """One chain for the tests of a module that leave others' orders alone."""
    with load_settle_chain(deployed_settle) as chain:
        yield chain


@pytest.fixture
def settle_chain(deployed_settle: Deployed) -> Iterator[SettleChain]:
    with load_settle_chain(deployed_settle) as chain:
        yield chain


@pytest.fixture
def book(
    settle_chain: SettleChain, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SignedBook]:
    place = place_journal(tmp_path, tmp_path_factory.getbasetemp())
    opened = SignedBook.open(place, settle_chain.domain)
    yield opened
    opened.close()


@pytest_asyncio.fixture
async def node(settle_chain: SettleChain) -> AsyncIterator[Node]:
    opened = await Node.connect(settle_chain.chain.url)
    yield opened
    await opened.close()


@pytest.fixture
def intake(settle_chain: SettleChain, book: SignedBook, node: Node) -> Intake:
    tokens = [token.address for token in settle_chain.profile.tokens.values()]
    now = settle_chain.now
    return Intake(book, Verifier(node, book.domain), tokens, now=lambda: now)
