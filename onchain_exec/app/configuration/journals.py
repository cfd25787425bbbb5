"""The journal that the configuration names, and an order in it by what a user calls it."""

from __future__ import annotations

from pathlib import Path

from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.oms import Journal, OrderView


def open_journal(path: str | None = None) -> Journal:
    """Open the journal of the configuration, or at ``path``. It is not made here: what looks at another
    journal than the one that is traded by finds nothing, and what stops it stops nothing.

    Raises:
        ConfigError: there is none.
        JournalError: as for `Journal.open`.
    """
    return Journal.open(find_journal(path))


def find_journal(path: str | None = None) -> str:
    """Return where the journal of the configuration, or at ``path``, is.

    Raises:
        ConfigError: there is none.
    """
    where = load_settings(journal=path).journal
    if not has_journal(where):
        raise ConfigError(
            f"there is no journal at {Path(where).expanduser().absolute()}",
            needed="the one that orders are written to; the first order makes it",
            todo="Name it by --journal or ONCHAIN_EXEC_JOURNAL",
        )
    return where


def has_journal(where: str) -> bool:
    """Return whether there is a journal at a path; of a database only opening it tells."""
    return "://" in where or Path(where).expanduser().exists()


def find_order(journal: Journal, name: str) -> OrderView:
    """Return the order whose id, client order id, transaction hash or intent's digest is ``name``, or whose
    id alone starts with it.

    Raises:
        InputError: none, or several.
    """
    views = journal.read_orders()
    exact = [view for view in views if name in _list_names(view)]
    found = exact or [view for view in views if name and view.order_id.startswith(name)]
    if len(found) != 1:
        raise InputError(
            f"{len(found) or 'no'} orders match {name!r}",
            needed="an order id (or its start), a client order id, or a transaction hash",
            todo="`onchain-exec orders` lists them",
        )
    return found[0]


def _list_names(view: OrderView) -> tuple[str, ...]:
    names = view.order_id, view.client_order_id, view.tx_hash
    return (*names, view.intent.digest) if view.intent else names
