"""Statements that are compiled once and run by the database's driver itself.

SQLAlchemy's own way through a statement takes ten times as long as SQLite needs to run it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError


class Statement:
    """An SQL statement. It is put into a dialect's words once for the whole process: to compile a journal's
    statements takes longer than to read a short journal."""

    def __init__(self, element: ClauseElement) -> None:
        self._element = element
        self._texts: dict[str, Text] = {}

    def get_text(self, dialect: Dialect) -> Text:
        """Return it in the dialect's words."""
        text = self._texts.get(dialect.name)
        if text is None:
            text = self._texts[dialect.name] = Text(self._element, dialect)
        return text


class Text:
    """A statement in a dialect's words, which name its parameters, and the values of those that are fixed."""

    def __init__(self, element: ClauseElement, dialect: Dialect) -> None:
        compiled = element.compile(dialect=dialect)
        self.text = str(compiled)
        self.fixed = {name: value for name, value in (compiled.params or {}).items() if value is not None}


class Driver:
    """The driver under a connection, in whatever transaction is open there.

    Its errors are raised as SQLAlchemy's. A connection that it lost is given up, so that the next
    transaction begins on another.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def run(self, statement: Statement, **values: object) -> Any:
        """Run it with these parameters; return the cursor that its rows come from."""
        text = statement.get_text(self._connection.dialect)
        return self._ask(text.text, {**text.fixed, **values} if text.fixed else values)

    def run_text(self, text: str) -> None:
        """Run what is no statement of SQLAlchemy's."""
        self._ask(text)

    @contextmanager
    def unanswered(self) -> Iterator[None]:
        """Send what is run within, none of it for its rows, without waiting for each answer, where the driver
        can. Errors may come at the end."""
        pipeline = getattr(self._connection.connection.dbapi_connection, "pipeline", nullcontext)
        try:
            with pipeline():
                yield
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise self._translate(error) from error

    def _ask(self, text: str, *values: Mapping[str, object]) -> Any:
        driver: Any = self._connection.connection.dbapi_connection
        try:
            return driver.execute(text, *values)
        except self._connection.dialect.loaded_dbapi.Error as error:
            raise self._translate(error) from error

    def _translate(self, error: Any) -> DBAPIError:
        driver, dialect = self._connection.connection, self._connection.dialect
        if dialect.is_disconnect(error, driver, None):
            self._connection.invalidate(error)
        return DBAPIError("", None, error)
