"""``route``, ``basket`` and ``arbitrage``: what is best over a file of pools, and the proof. No node is
asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Final

import typer

from onchain_exec.cli.printing.output import print_json
from onchain_exec.cli.printing.route_views import (
    arbitrage_to_json,
    basket_route_to_json,
    print_arbitrage,
    print_basket_route,
    print_route,
    route_to_json,
)
from onchain_exec.cli.trading.route_file import (
    AsJson,
    GasPriceWei,
    HopDataWei,
    MaxHops,
    PoolsFile,
    Prove,
    get_token,
    make_gas,
    read_pools,
)
from onchain_exec.cli.trading.units import parse_units
from onchain_exec.core import Exact
from onchain_exec.errors import InputError
from onchain_exec.routing import (
    Basket,
    Options,
    Route,
    Shape,
    Swap,
    find_arbitrage,
    find_basket_route,
    find_route,
)

_PICTURES: Final = (".png", ".svg", ".pdf")


def route(
    pools_file: PoolsFile,
    sell: Annotated[str, typer.Option("--sell", help="Token to give: symbol or address in the file.")],
    buy: Annotated[str, typer.Option("--buy", help="Token to get: symbol or address in the file.")],
    amount_in: Annotated[str | None, typer.Option("--amount-in", help="Base units to sell.")] = None,
    amount_out: Annotated[str | None, typer.Option("--amount-out", help="Base units to buy instead.")] = None,
    gas_price_wei: GasPriceWei = 0,
    hop_data_wei: HopDataWei = 0,
    gas_token_price: Annotated[
        str | None,
        typer.Option(
            "--gas-token-price",
            help="Whole tokens of the side that is searched (bought, or sold with --amount-out) per whole "
            "native coin, for example 3000.",
        ),
    ] = None,
    max_hops: MaxHops = 3,
    cycles: Annotated[bool, typer.Option("--cycles", help="Let arbitrage mix into the swap.")] = False,
    time_limit_ms: Annotated[
        int | None, typer.Option("--time-limit-ms", min=1, help="Stop proving after this long.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write a picture of the flow: .png, .svg or .pdf.")
    ] = None,
    prove: Prove = False,
    as_json: AsJson = False,
) -> None:
    """Find the best route over a file of pools, in exact base units, with its bound and gap."""
    pools = read_pools(pools_file)
    token_in, token_out = get_token(pools, sell), get_token(pools, buy)
    if (amount_in is None) == (amount_out is None):
        raise InputError("one amount is needed", needed="--amount-in or --amount-out in base units")
    exact = Exact.IN if amount_in is not None else Exact.OUT
    terms = Swap(token_in, token_out, parse_units(amount_in or amount_out or ""), exact)
    gas = make_gas(gas_price_wei, hop_data_wei, gas_token_price, token_out if exact is Exact.IN else token_in)
    options = Options(
        max_hops=max_hops,
        shape=Shape.GRAPH,
        cycles=cycles,
        time_limit_ms=time_limit_ms,
        clock=time.monotonic,
        proof=prove,
    )
    found = find_route(terms, pools, gas, options=options)
    if plot is not None:
        _draw(found, plot)
    if as_json:
        print_json(route_to_json(found))
    else:
        print_route(found)


def _draw(found: Route, path: Path) -> None:
    if path.suffix not in _PICTURES:
        raise InputError(f"the picture {path}", needed=f"a name that ends in {', '.join(_PICTURES)}")
    try:
        found.plot().savefig(path)
    except OSError as error:
        raise InputError(
            f"the picture {path} cannot be written: {error.strerror}", needed="a path you may write to"
        ) from error


def basket(
    pools_file: PoolsFile,
    sell: Annotated[
        list[str], typer.Option("--sell", help="TOKEN=AMOUNT in base units, several times; or one TOKEN.")
    ],
    buy: Annotated[
        list[str], typer.Option("--buy", help="The one TOKEN to get; or TOKEN=AMOUNT, several times.")
    ],
    gas_price_wei: GasPriceWei = 0,
    hop_data_wei: HopDataWei = 0,
    gas_token_price: Annotated[
        str | None,
        typer.Option(
            "--gas-token-price",
            help="Whole tokens of the side without amounts per whole native coin, for example 3000.",
        ),
    ] = None,
    max_hops: MaxHops = 3,
    prove: Prove = False,
    as_json: AsJson = False,
) -> None:
    """Sell several tokens for one, or buy several with one, over a file of pools: the best route at once."""
    pools = read_pools(pools_file)
    exact = Exact.IN if all("=" in amount for amount in sell) else Exact.OUT
    fixed, open_side = (sell, buy) if exact is Exact.IN else (buy, sell)
    if len(open_side) != 1:
        raise InputError(
            f"{len(open_side)} tokens on the side without amounts",
            needed="one token there, and TOKEN=AMOUNT on the other side",
        )
    priced = get_token(pools, open_side[0])
    amounts = [
        (get_token(pools, name), parse_units(amount))
        for name, _, amount in (part.partition("=") for part in fixed)
    ]
    if len(dict(amounts)) != len(amounts):
        raise InputError("a token is in the basket twice", needed="one amount of each token")
    gas = make_gas(gas_price_wei, hop_data_wei, gas_token_price, priced)
    options = Options(max_hops=max_hops, shape=Shape.GRAPH, proof=prove)
    found = find_basket_route(Basket(dict(amounts), priced, exact), pools, gas, options=options)
    if as_json:
        print_json(basket_route_to_json(found))
    else:
        print_basket_route(found)


def arbitrage(
    pools_file: PoolsFile,
    token: Annotated[str, typer.Option("--token", help="Token to begin and end with: symbol or address.")],
    gas_price_wei: GasPriceWei = 0,
    hop_data_wei: HopDataWei = 0,
    gas_token_price: Annotated[
        str | None,
        typer.Option("--gas-token-price", help="Whole tokens per whole native coin, for example 3000."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find and size the cycles over a file of pools that end with most of their first token."""
    pools = read_pools(pools_file)
    begin = get_token(pools, token)
    found = find_arbitrage(begin, pools, make_gas(gas_price_wei, hop_data_wei, gas_token_price, begin))
    if as_json:
        print_json(arbitrage_to_json(begin, found))
    else:
        print_arbitrage(begin, found)
