"""``orders`` and ``show``: what the journal holds."""

from __future__ import annotations

from typing import Annotated

import typer

from onchain_exec.app.journals import find_order, open_journal
from onchain_exec.cli.options import JournalPath, Json
from onchain_exec.cli.output import print_json
from onchain_exec.cli.views import print_order, print_orders


def orders(journal: JournalPath = None, as_json: Json = False) -> None:
    """List the orders of the journal as last recorded; no node is asked."""
    with open_journal(journal) as opened:
        views = opened.read_orders()
    if as_json:
        print_json({"orders": [view.to_json() for view in views]})
    else:
        print_orders(views)


def show(
    order: Annotated[str, typer.Argument(help="Order id, client order id, or transaction hash.")],
    journal: JournalPath = None,
    as_json: Json = False,
) -> None:
    """Show one order as last recorded; no node is asked."""
    with open_journal(journal) as opened:
        view = find_order(opened, order)
    if as_json:
        print_json(view.to_json())
    else:
        print_order(view)
