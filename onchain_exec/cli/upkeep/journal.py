"""``orders``, ``show``, ``channels`` and ``verify``: what the journal holds, and whether its lines still
give it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from onchain_exec.app.configuration.journals import find_order, open_journal
from onchain_exec.cli.options import JournalPath, Json
from onchain_exec.cli.printing.output import messages, print_json, print_table
from onchain_exec.cli.printing.views import print_order, print_orders


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


def channels(journal: JournalPath = None, as_json: Json = False) -> None:
    """Show what the chain has shown of each way out, and of each endpoint; no node is asked.

    Blocks are those that came while a transaction waited; harmed are sandwiched or leaked ones, of those that
    were looked at.
    """
    with open_journal(journal) as opened:
        records = sorted(opened.read_records().items())
    if as_json:
        print_json({"channels": {name: asdict(record) for name, record in records}})
        return
    rows = [
        (
            name,
            str(record.included),
            str(record.waited_blocks),
            f"{record.harmed} of {record.seen}",
            str(record.refunded),
        )
        for name, record in records
    ]
    print_table("Channels", ("Channel", "#Included", "#Blocks", "#Harmed", "#Refunded"), rows)


def verify(journal: JournalPath = None, as_json: Json = False) -> None:
    """Read the journal from its first line, and check each line's hash and the checkpoint; no node is asked.

    Ends with 4 if a line was changed.
    """
    with open_journal(journal) as opened:
        lines = opened.verify()
    if as_json:
        print_json({"lines": lines})
    else:
        messages.print(f"All {lines} lines follow one another, and give what the journal holds.")
