"""What the commands print: one JSON document or tables on stdout, messages on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from onchain_exec.core import Token, format_amount
from onchain_exec.errors import OnchainExecError

_PIPED: Final = 240
"""Columns where no window tells: rows that other programs read are not broken."""

messages = Console(stderr=True)
tables = Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED)


def print_json(document: Any) -> None:
    """Write one JSON document to stdout."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print an aligned table, or that there is nothing; columns named '#...' are aligned right."""
    rows = list(rows)
    if not rows:
        tables.print(f"{title}: none", highlight=False, soft_wrap=True)
        return
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        table.add_column(
            column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    for row in rows:
        table.add_row(*row)
    tables.print(table)


def print_facts(title: str, facts: Sequence[tuple[str, str]], advice: str = "") -> None:
    """Print name and value pairs, aligned. No word is broken: a hash can be copied in one piece. Nor is the
    line of the ``advice``, which may be a command."""
    tables.print(title, style="bold", soft_wrap=True)
    indent = max((len(name) for name, _ in facts), default=0) + 2
    for name, value in facts:
        lines = wrap(value, max(tables.width - indent, 20), break_long_words=False, break_on_hyphens=False)
        text = f"\n{' ' * indent}".join(lines)
        tables.print(Text.assemble((name.ljust(indent), "dim"), text), highlight=False, soft_wrap=True)
    if advice:
        tables.print(advice, highlight=False, soft_wrap=True, markup=False)


def round_tokens(units: int, token: Token) -> str:
    """Return an amount for a table: six decimals at most, thousands apart."""
    return f"{Decimal(format_amount(units, token)):,.{min(6, token.decimals)}f} {token}"


def error_to_json(error: OnchainExecError) -> dict[str, Any]:
    """Return the error as a document for machines."""
    return {
        "error": {
            "code": error.code,
            "message": str(error),
            "found": error.found,
            "needed": error.needed,
            "todo": error.todo,
            "retryable": error.retryable,
        }
    }


def print_error(error: OnchainExecError, *, as_json: bool) -> None:
    """Print the error: as the one document on stdout, or for people on stderr."""
    if as_json:
        print_json(error_to_json(error))
        return
    messages.print(f"[bold red]{error.code}[/]: {error.found}", highlight=False)
    if error.needed:
        messages.print(f"  needed: {error.needed}", highlight=False)
    if error.todo:
        messages.print(f"  to do:  {error.todo}", highlight=False)
