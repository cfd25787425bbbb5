"""``pools dump`` and ``pools find``: pools as a file, and the pools of a pair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from onchain_exec.app.configuration.endpoints import open_configured_rpc
from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.configuration.tokens import read_named_token
from onchain_exec.app.pools import read_named_pools
from onchain_exec.app.pools.discovery import FoundPool, find_pools, rank_pools
from onchain_exec.chain import Node
from onchain_exec.cli.options import Buy, Json, Rpc, Sell
from onchain_exec.cli.printing.output import print_json, print_table, round_tokens
from onchain_exec.core import all_of
from onchain_exec.venues.pool_file import pool_set_to_json
from onchain_exec.venues.pool_name import parse_pool_name

app = typer.Typer(help="Read pools, and find those of a pair.", no_args_is_help=True, add_completion=False)


@app.command()
def dump(
    names: Annotated[
        list[str],
        typer.Argument(metavar="KIND:ADDRESS...", help="Also uniswap_v4:ID and uniswap_v2:ADDRESS:FEE_PIPS."),
    ],
    rpc: Rpc = None,
) -> None:
    """Print the state of pools of any kind, all at one block, as the JSON file that `route` takes."""
    wanted = [parse_pool_name(name) for name in names]

    async def work() -> None:
        async with open_node(rpc) as node:
            found = await read_named_pools(node, wanted, await node.get_block())
        print_json(pool_set_to_json(found))

    asyncio.run(work())


@app.command()
def find(sell: Sell, buy: Buy, rpc: Rpc = None, as_json: Json = False) -> None:
    """List the pools of two tokens, the deepest first. Depth: what moves the price by 1 %."""

    async def work() -> list[FoundPool]:
        async with open_node(rpc) as node:
            return await _find(node, sell, buy)

    found = asyncio.run(work())
    if as_json:
        print_json(
            [
                {"pool": one.pool.key, "fee_pips": str(one.fee_pips), "depth_1_percent": str(one.depth)}
                for one in found
            ]
        )
        return
    rows = [
        (
            one.pool.key,
            f"{one.fee_pips / 100:g}",
            round_tokens(one.depth, one.token_in),
            f"{float(one.price):.8g} {one.token_out}",
        )
        for one in found
    ]
    print_table(f"Pools of {sell} and {buy}", ("Pool", "#Fee (bps)", "#Depth at 1 %", "#Price"), rows)


async def _find(node: Node, sell: str, buy: str) -> list[FoundPool]:
    profile, block = get_chain_profile(node.chain_id), await node.get_block()
    readings = [read_named_token(profile, name) for name in (sell, buy)]
    pair = await node.perform(all_of(readings), block)
    return rank_pools(profile, await find_pools(node, profile, [pair], block), *pair)


@asynccontextmanager
async def open_node(rpc: str | None) -> AsyncIterator[Node]:
    """Yield the node of ``--rpc`` or of the configuration, whatever chain it serves."""
    settings = load_settings(rpc_url=rpc)
    node = await Node.connect(open_configured_rpc(settings), settings.chain_id)
    try:
        yield node
    finally:
        await node.close()
