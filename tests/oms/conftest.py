"""One PostgreSQL for all tests that want it, each with a database of its own; and a desk with a chain."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from oms import postgres
from oms.builders import CHAIN_ID
from oms.paper_desk import Desk
from oms.paper_market import open_market
from onchain_exec.chain import LocalChain, Node
from onchain_exec.oms import Journal

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    if not find_spec("pgserver"):
        pytest.skip("pgserver has no release for this Python")
    with postgres.run_postgres() as template:
        yield template


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    return postgres.make_database(postgres_server, f"journal{next(_NUMBERS)}")


@pytest.fixture(params=["sqlite", "postgres"])
def journal_place(request: pytest.FixtureRequest) -> str:
    """Where a fresh journal may be, in each kind of database."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("tmp_path") / "journal.sqlite")
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def chain() -> Iterator[LocalChain]:
    with LocalChain.start(chain_id=CHAIN_ID, accounts=2, extra=("--slots-in-an-epoch", "4")) as chain:
        open_market(chain)
        chain.mine(2)
        yield chain


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        yield journal


@pytest.fixture
async def node(chain: LocalChain):
    node = await Node.connect(chain.url, CHAIN_ID)
    yield node
    await node.close()


@pytest.fixture
def desk(chain: LocalChain, node: Node, journal: Journal) -> Desk:
    return Desk(chain, node, journal, chain.accounts[1])
