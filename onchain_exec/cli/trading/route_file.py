"""What the commands over a file of pools read: the pools, a token by its name, the price of gas."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from onchain_exec.core import Token
from onchain_exec.errors import InputError
from onchain_exec.routing import GasModel
from onchain_exec.venues import PoolSet
from onchain_exec.venues.pool_file import pool_set_from_json

PoolsFile: TypeAlias = Annotated[
    Path, typer.Option("--pools-file", help="Pools as `pools dump` writes them.")
]
GasPriceWei: TypeAlias = Annotated[
    int, typer.Option("--gas-price-wei", min=0, help="Price of gas; 0 ignores gas.")
]
HopDataWei: TypeAlias = Annotated[
    int,
    typer.Option("--hop-data-wei", min=0, help="What a rollup takes beside for the calldata of each hop."),
]
MaxHops: TypeAlias = Annotated[int, typer.Option("--max-hops", min=1, max=4, help="Hops of a path.")]
Prove: TypeAlias = Annotated[
    bool, typer.Option("--proof", help="Where gas counts, add to the JSON what proves the bound.")
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


def read_pools(path: Path) -> PoolSet:
    """Return the pools of a file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the pools file {path} cannot be read: {error}",
            needed="JSON as `onchain-exec pools dump` writes",
        ) from error
    return pool_set_from_json(document)


def get_token(pools: PoolSet, name: str) -> Token:
    """Return the one token of the pools with a symbol or address.

    Raises:
        InputError: none or several have it.
    """
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


def make_gas(price_wei: int, hop_data_wei: int, token_price: str | None, priced: Token) -> GasModel:
    """Return the price of gas, and of a hop's data on a rollup, in ``priced``, of which ``token_price``
    whole ones are worth a native coin.

    Raises:
        InputError: gas has a price and ``priced`` has none, or it is no number.
    """
    if (price_wei or hop_data_wei) and token_price is None:
        raise InputError("a gas price without --gas-token-price", needed="both, or none")
    try:
        price = Decimal(token_price or "0")
    except InvalidOperation as error:
        raise InputError(f"--gas-token-price {token_price!r}", needed="a number") from error
    if not (price.is_finite() and price >= 0):
        raise InputError(f"--gas-token-price {token_price!r}", needed="a number of at least 0")
    return GasModel(price_wei, float(price.scaleb(priced.decimals - 18)), hop_data_wei)
