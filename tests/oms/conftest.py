"""One PostgreSQL for all tests that want it; each gets a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from oms import postgres

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
