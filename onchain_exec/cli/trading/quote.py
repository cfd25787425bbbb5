"""``quote``: the best route of a trade, or what single pools give for exact amounts."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.pools.quoting import PoolQuotes, quote_pool
from onchain_exec.app.report import quote_to_json
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import AmountOut, AmountText, Json, Rpc, Slippage
from onchain_exec.cli.printing.output import error_to_json, print_facts, print_json, print_table
from onchain_exec.cli.printing.views import print_quote
from onchain_exec.cli.trading.pools import open_node
from onchain_exec.cli.trading.trade import make_request
from onchain_exec.cli.trading.units import parse_units
from onchain_exec.core import format_tokens, to_address
from onchain_exec.errors import InputError
from onchain_exec.venues.pool_name import parse_pool_name

OfPool = "With --pool"

Sell = Annotated[str | None, typer.Option("--sell", help="Token to give: a listed symbol or an address.")]
Buy = Annotated[str | None, typer.Option("--buy", help="Token to get: a listed symbol or an address.")]
PoolOption = Annotated[
    str | None,
    typer.Option(
        "--pool",
        help="KIND:ADDRESS, uniswap_v4:ID, or uniswap_v2:ADDRESS:FEE_PIPS.",
        rich_help_panel=OfPool,
    ),
]
TokenIn = Annotated[
    str | None, typer.Option("--token-in", help="Address of the token to give.", rich_help_panel=OfPool)
]
TokenOut = Annotated[
    str | None,
    typer.Option("--token-out", help="Needed where the pool has more than two.", rich_help_panel=OfPool),
]
AmountsIn = Annotated[
    list[str] | None,
    typer.Option("--amount-in", help="Base units to give; again for more quotes.", rich_help_panel=OfPool),
]


def quote(
    sell: Sell = None,
    buy: Buy = None,
    amount: AmountText = None,
    amount_out: AmountOut = None,
    max_slippage_bps: Slippage = None,
    pool: PoolOption = None,
    token_in: TokenIn = None,
    token_out: TokenOut = None,
    amount_in: AmountsIn = None,
    rpc: Rpc = None,
    as_json: Json = False,
) -> None:
    """Show what a trade would give: route, fees, impact, gas, and the bound that belongs to it.

    With --pool: what that one pool gives for exact base units, on any chain. Exit code 4 if it would
    revert on one of the amounts; the others are still told.
    """
    of_pool = (pool, token_in, token_out, amount_in)
    of_trade = (sell, buy, amount, amount_out, max_slippage_bps)
    if pool is not None:
        if token_in is None or not amount_in or any(of_trade):
            raise InputError(
                "--pool stands alone", needed="--pool, --token-in and --amount-in, without --sell"
            )
        found = asyncio.run(_ask_pool(pool, token_in, token_out, amount_in, rpc))
        _print_pool_quotes(found, as_json=as_json)
        raise typer.Exit(Exit.FAILED if any(quote.error for quote in found.quotes) else Exit.DONE)
    if sell is None or buy is None or any(of_pool):
        raise InputError(
            "no trade is named", needed="--sell and --buy, or --pool, --token-in and --amount-in"
        )
    request = make_request(sell, buy, amount, amount_out, max_slippage_bps)

    async def work() -> None:
        async with await AsyncDesk.from_env(rpc_url=rpc, read_only=True) as desk:
            found = await desk.ask(request)
        if as_json:
            print_json(quote_to_json(found))
        else:
            print_quote(found)

    asyncio.run(work())


async def _ask_pool(
    pool: str, token_in: str, token_out: str | None, amounts_in: list[str], rpc: str | None
) -> PoolQuotes:
    name = parse_pool_name(pool)
    bought = None if token_out is None else to_address(token_out)
    amounts = [parse_units(text) for text in amounts_in]
    async with open_node(rpc) as node:
        return await quote_pool(node, name, to_address(token_in), bought, amounts)


def _print_pool_quotes(found: PoolQuotes, *, as_json: bool) -> None:
    if as_json:
        print_json(_to_json(found))
        return
    print_facts(found.pool.key, [("block", str(found.block))])
    rows = [
        (
            format_tokens(quote.amount_in, found.token_in),
            str(quote.error.reason or quote.error)
            if quote.amount_out is None and quote.error
            else format_tokens(quote.amount_out or 0, found.token_out),
        )
        for quote in found.quotes
    ]
    print_table("Quotes", ("#In", "#Out"), rows)


def _to_json(found: PoolQuotes) -> dict[str, Any]:
    return {
        "pool": found.pool.key,
        "token_in": found.token_in.address,
        "token_out": found.token_out.address,
        "block_number": str(found.block.number),
        "block_hash": found.block.hash,
        "quotes": [
            {"amount_in": str(quote.amount_in)}
            | (
                {"amount_out": str(quote.amount_out)}
                if quote.error is None
                else {"error": error_to_json(quote.error)["error"] | {"reason": quote.error.reason}}
            )
            for quote in found.quotes
        ],
    }
