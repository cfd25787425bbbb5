"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else there.")]
Rpc = Annotated[str | None, typer.Option("--rpc", help="Node URL. Default: ONCHAIN_EXEC_RPC_URL.")]
JournalPath = Annotated[
    str | None,
    typer.Option(
        "--journal", help="The journal: a SQLite file (onchain-exec.sqlite) or postgresql+psycopg://..."
    ),
]
Sell = Annotated[str, typer.Option("--sell", help="Token to give: a listed symbol or an address.")]
Buy = Annotated[str, typer.Option("--buy", help="Token to get: a listed symbol or an address.")]
AmountText = Annotated[
    str | None, typer.Option("--amount", help='Whole tokens to sell, for example "25" or "0.5".')
]
AmountOut = Annotated[
    str | None, typer.Option("--amount-out", help="Buy exactly this many whole tokens instead.")
]
Slippage = Annotated[
    int | None,
    typer.Option("--max-slippage-bps", help="Worst fill against the quote, in basis points (30 = 0.30 %)."),
]
