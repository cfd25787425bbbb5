"""The journal that the configuration names, and an order in it by what a user calls it."""

from __future__ import annotations

from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.errors import InputError
from onchain_exec.oms import Journal, OrderView


def open_journal(path: str | None = None) -> Journal:
    """Open the journal of the configuration, or at ``path``."""
    return Journal.open(load_settings(journal=path).journal)


def find_order(journal: Journal, name: str) -> OrderView:
    """Return the order whose id, client order id or transaction hash is ``name``, or whose id alone
    starts with it.

    Raises:
        InputError: none, or several.
    """
    views = journal.read_orders()
    exact = [view for view in views if name in (view.order_id, view.client_order_id, view.tx_hash)]
    found = exact or [view for view in views if name and view.order_id.startswith(name)]
    if len(found) != 1:
        raise InputError(
            f"{len(found) or 'no'} orders match {name!r}",
            needed="an order id (or its start), a client order id, or a transaction hash",
            todo="`onchain-exec orders` lists them",
        )
    return found[0]
