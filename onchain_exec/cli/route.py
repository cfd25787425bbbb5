"""``route``: the best route over a file of pools, and the proof of how good it is. No node is asked."""

from __future__ import annotations

import json
import time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer

from onchain_exec.cli.output import print_facts, print_json
from onchain_exec.cli.units import parse_units
from onchain_exec.cli.views import print_flow
from onchain_exec.core import Exact, Token, format_amount
from onchain_exec.errors import InputError
from onchain_exec.routing import GasModel, Options, Route, Shape, Swap, find_route
from onchain_exec.venues import PoolSet
from onchain_exec.venues.pool_file import pool_set_from_json


def route(
    pools_file: Annotated[Path, typer.Option("--pools-file", help="Pools as `pools dump` writes them.")],
    sell: Annotated[str, typer.Option("--sell", help="Token to give: symbol or address in the file.")],
    buy: Annotated[str, typer.Option("--buy", help="Token to get: symbol or address in the file.")],
    amount_in: Annotated[str | None, typer.Option("--amount-in", help="Base units to sell.")] = None,
    amount_out: Annotated[str | None, typer.Option("--amount-out", help="Base units to buy instead.")] = None,
    gas_price_wei: Annotated[int, typer.Option("--gas-price-wei", help="Price of gas; 0 ignores gas.")] = 0,
    gas_token_price: Annotated[
        str | None,
        typer.Option(
            "--gas-token-price",
            help="Whole tokens of the side that is searched (bought, or sold with --amount-out) per whole "
            "native coin, for example 3000.",
        ),
    ] = None,
    max_hops: Annotated[int, typer.Option("--max-hops", min=1, max=4, help="Hops of a path.")] = 3,
    cycles: Annotated[bool, typer.Option("--cycles", help="Let arbitrage mix into the swap.")] = False,
    time_limit_ms: Annotated[
        int | None, typer.Option("--time-limit-ms", min=1, help="Stop proving after this long.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")] = False,
) -> None:
    """Find the best route over a file of pools, in exact base units, with its bound and gap."""
    pools = _read_pools(pools_file)
    token_in, token_out = _get_token(pools, sell), _get_token(pools, buy)
    if (amount_in is None) == (amount_out is None):
        raise InputError("one amount is needed", needed="--amount-in or --amount-out in base units")
    exact = Exact.IN if amount_in is not None else Exact.OUT
    terms = Swap(token_in, token_out, parse_units(amount_in or amount_out or ""), exact)
    gas = _make_gas(gas_price_wei, gas_token_price, token_out if exact is Exact.IN else token_in)
    options = Options(
        max_hops=max_hops,
        shape=Shape.GRAPH,
        cycles=cycles,
        time_limit_ms=time_limit_ms,
        clock=time.monotonic,
    )
    found = find_route(terms, pools, gas, options=options)
    if as_json:
        print_json(_to_json(found))
    else:
        _print(found)


def _read_pools(path: Path) -> PoolSet:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the pools file {path} cannot be read: {error}",
            needed="JSON as `onchain-exec pools dump` writes",
        ) from error
    return pool_set_from_json(document)


def _get_token(pools: PoolSet, name: str) -> Token:
    tokens = {token for pool in pools.pools for token in pool.tokens}
    found = [t for t in tokens if name.lower() in (t.symbol.lower(), t.address.lower())]
    if len(found) != 1:
        symbols = ", ".join(sorted({token.symbol for token in tokens}))
        raise InputError(
            f"{len(found) or 'no'} tokens of the file are named {name!r}",
            needed=f"one of {symbols}, or an address",
            todo="Name it by its address",
        )
    return found[0]


def _make_gas(price_wei: int, token_price: str | None, priced: Token) -> GasModel:
    if price_wei and token_price is None:
        raise InputError("a gas price without --gas-token-price", needed="both, or none")
    try:
        price = Decimal(token_price or "0")
    except InvalidOperation as error:
        raise InputError(f"--gas-token-price {token_price!r}", needed="a number") from error
    return GasModel(price_wei, float(price.scaleb(priced.decimals - 18)))


def _to_json(found: Route) -> dict[str, Any]:
    certificate = found.certificate
    return {
        "block_number": str(found.block.number),
        "amount_in": str(found.amount_in),
        "amount_out": str(found.amount_out),
        "bound": str(found.bound),
        "gap_bps": found.gap_bps,
        "gas_units": found.gas_units,
        "hops": [
            {
                "pool": hop.pool.key,
                "token_in": hop.token_in.address,
                "token_out": hop.token_out.address,
                "amount_in": str(hop.amount_in),
                "amount_out": str(hop.amount_out),
            }
            for hop in found.hops
        ],
        "prices": {token.address: price for token, price in certificate.prices.items()},
        "excluded": [{"pools": list(part.pools), "reason": part.reason} for part in certificate.excluded],
    }


def _print(found: Route) -> None:
    excluded = [
        ("not in the proof", f"{', '.join(part.pools)}: {part.reason}") for part in found.certificate.excluded
    ]
    searched = found.token_out if found.exact is Exact.IN else found.token_in
    print_facts(
        f"{format_amount(found.amount_in, found.token_in)} {found.token_in} → "
        f"{format_amount(found.amount_out, found.token_out)} {found.token_out}",
        [
            ("bound", f"{format_amount(found.bound, searched)} {searched}"),
            ("gap", f"{found.gap_bps:.6f} bps"),
            ("gas", f"{found.gas_units:,} units"),
            *excluded,
        ],
    )
    print_flow(found)
