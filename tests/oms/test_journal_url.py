"""Where a journal is, as text: a path, or the URL of a PostgreSQL database and of nothing else."""

from __future__ import annotations

import pytest

from onchain_exec.errors import ConfigError
from onchain_exec.oms import Journal


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:SECRET@h/x",
        "sqlite:///SECRET",
        "postgresql+psycopg2://u:SECRET@h/x",
        "postgresql+psycopg://u:p@h:SECRET/x",
        "://SECRET",
    ],
)
def test_open_a_url_of_something_else_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError, match="PostgreSQL") as caught:
        Journal.open(url)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__context__ is None  # whose text could hold it
