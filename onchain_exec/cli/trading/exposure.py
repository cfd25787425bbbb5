"""``exposure``: what others can take of a trade that they see before it is mined."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.request import Request
from onchain_exec.cli.options import AmountText, Buy, Json, Rpc, Sell, Slippage
from onchain_exec.cli.printing.output import print_facts, print_json, print_table
from onchain_exec.cli.trading.route_file import get_token, make_gas, read_pools
from onchain_exec.cli.trading.trade import make_request
from onchain_exec.core import Exact, Token, format_tokens, parse_amount
from onchain_exec.core.fixed_point import BPS, div_up
from onchain_exec.errors import InputError
from onchain_exec.risk.exposure import Attacker, Exposure, Lateness, Volatility, get_back_run, get_exposure
from onchain_exec.routing import GasModel, Options, Shape, Swap, find_route
from onchain_exec.venues import PoolSet

FromFile = "With --pools-file"
_LATE_BLOCKS: Final = (1, 2, 5, 10, 50)
_FILE_SLIPPAGE_BPS: Final = 50


def exposure(
    sell: Sell,
    buy: Buy,
    amount: AmountText = None,
    max_slippage_bps: Slippage = None,
    pools_file: Annotated[
        Path | None, typer.Option("--pools-file", help="Pools as `pools dump` writes them; no node is asked.")
    ] = None,
    gas_price_wei: Annotated[
        int, typer.Option("--gas-price-wei", min=0, help="Price of gas.", rich_help_panel=FromFile)
    ] = 0,
    gas_token_price: Annotated[
        str | None,
        typer.Option(
            "--gas-token-price", help="Whole tokens bought per whole native coin.", rich_help_panel=FromFile
        ),
    ] = None,
    deviation_bps: Annotated[
        float | None,
        typer.Option(
            "--deviation-bps", min=0, help="How far the price moves in a block.", rich_help_panel=FromFile
        ),
    ] = None,
    rpc: Rpc = None,
    as_json: Json = False,
) -> None:
    """Show what others can take of a trade that they see: sandwich, arbitrage after it, delay.

    With the bound under which no sandwich pays. Without --max-slippage-bps a trade on chain has the bound
    that the market allows, one over a file 50 bps.
    """
    if pools_file is None:
        if gas_price_wei or gas_token_price is not None or deviation_bps is not None:
            raise InputError("options of a file without one", needed="--pools-file, or none of them")
        request = make_request(sell, buy, amount, None, max_slippage_bps)
        found = asyncio.run(_ask_chain(request, rpc))
    else:
        pools = read_pools(pools_file)
        token_in, token_out = get_token(pools, sell), get_token(pools, buy)
        swap = Swap(token_in, token_out, parse_amount(amount or "", token_in))
        gas = make_gas(gas_price_wei, 0, gas_token_price, token_out)
        slippage_bps = _FILE_SLIPPAGE_BPS if max_slippage_bps is None else max_slippage_bps
        found = _expose(swap, pools, gas, slippage_bps, deviation_bps)
    if as_json:
        print_json(exposure_to_json(found))
    else:
        print_exposure(found)


def _expose(
    swap: Swap, pools: PoolSet, gas: GasModel, slippage_bps: int, deviation_bps: float | None
) -> Exposure:
    route = find_route(swap, pools, gas, options=Options(shape=Shape.GRAPH))
    bound = div_up(route.amount_out * (BPS - slippage_bps), BPS)
    lateness = None
    if deviation_bps is not None:
        lateness = Lateness(route.amount_out, Volatility(deviation_bps / BPS))
    found = get_exposure(route, bound, Attacker(gas), lateness)
    return replace(found, back_run=get_back_run(route, pools, swap.token_out, gas))


async def _ask_chain(request: Request, rpc: str | None) -> Exposure:
    async with await AsyncDesk.from_env(rpc_url=rpc, read_only=True) as desk:
        return await desk.expose(request)


def exposure_to_json(found: Exposure) -> dict[str, Any]:
    """Return an exposure as a document; amounts are strings of base units of ``priced``."""
    sandwich = found.sandwich
    return {
        "block_number": str(found.route.block.number),
        "priced": found.priced.address,
        "exact": found.route.exact.value,
        "amount_in": str(found.route.amount_in),
        "amount_out": str(found.route.amount_out),
        "bound": str(found.bound),
        "safe_bound": str(found.safe_bound),
        "sandwich": {
            "pays": sandwich.pays,
            "net": str(sandwich.net),
            "gross": str(sandwich.gross),
            "gas_cost": str(sandwich.gas_cost),
            "capital": str(sandwich.capital),
            "victim_loss": str(sandwich.victim_loss),
            "front_runs": [
                {
                    "pool": run.pool_key,
                    "token_in": run.token_in.address,
                    "token_out": run.token_out.address,
                    "amount_in": str(run.amount_in),
                    "amount_bought": str(run.amount_bought),
                    "amount_back": str(run.amount_back),
                }
                for run in sandwich.front_runs
            ],
        },
        "back_run": str(found.back_run),
        "lateness": [
            {"blocks": blocks, "markout": str(markout), "adverse": str(adverse), "passing_chance": chance}
            for blocks, markout, adverse, chance in _list_lateness(found)
        ],
    }


def print_exposure(found: Exposure) -> None:
    """Print an exposure: the bounds, the best attack, what is left to arbitrage, the price of delay."""
    sandwich, token, is_in = found.sandwich, found.priced, found.route.exact is Exact.IN
    quoted = found.route.amount_out if is_in else found.route.amount_in
    facts = [
        ("quoted", format_tokens(quoted, token)),
        ("at least" if is_in else "at most", _in_bps(found.bound, quoted, token)),
        ("none pays " + ("from" if is_in else "up to"), _in_bps(found.safe_bound, quoted, token)),
        ("left to arbitrage", format_tokens(found.back_run, token)),
    ]
    if sandwich.pays:
        lost = sandwich.victim_loss
        facts += [
            ("the order loses", f"{format_tokens(lost, token)} ({lost / quoted * BPS:.4g} bps)"),
            ("the attacker takes", format_tokens(sandwich.gross, token)),
            ("its gas", format_tokens(sandwich.gas_cost, token)),
            ("it keeps", format_tokens(sandwich.net, token)),
            ("with a capital of", format_tokens(sandwich.capital, token)),
        ]
    else:
        facts.append(("sandwich", "none pays under this bound"))
    print_facts(f"Exposure at {found.route.block}", facts)
    if sandwich.pays:
        rows = [
            (run.pool_key, format_tokens(run.amount_in, run.token_in), format_tokens(run.gain, run.token_in))
            for run in sandwich.front_runs
        ]
        print_table("The best sandwich", ("Pool", "#Front-run", "#Gain"), rows)
    late = [
        (str(blocks), format_tokens(markout, token), format_tokens(adverse, token), f"{chance:.2%}")
        for blocks, markout, adverse, chance in _list_lateness(found)
    ]
    if late:
        print_table("Being late", ("#Blocks", "#Drift", "#Moves against it", "#Passes the bound"), late)


def _list_lateness(found: Exposure) -> Iterator[tuple[int, int, int, float]]:
    """Yield blocks of delay with the expected drift, the mean adverse move and the chance of a revert."""
    if (late := found.lateness) is None:
        return
    for blocks in _LATE_BLOCKS:
        yield (
            blocks,
            late.get_markout(blocks),
            late.get_adverse(blocks),
            late.get_passing_chance(found.slack, blocks),
        )


def _in_bps(amount: int, quoted: int, token: Token) -> str:
    return f"{format_tokens(amount, token)} ({abs(quoted - amount) / quoted * BPS:.4g} bps)"
