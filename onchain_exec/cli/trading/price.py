"""``price``: what a pair is worth by every source, how old each is, and how far they are apart."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from typing import Annotated, Any

import typer

from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.prices import PairPrice
from onchain_exec.cli.options import Json, Rpc
from onchain_exec.cli.printing.output import print_facts, print_json, print_table
from onchain_exec.core import format_amount
from onchain_exec.pricing import PriceSource


def price(
    sell: Annotated[str, typer.Argument(help="Token to price: a listed symbol or an address.")],
    buy: Annotated[str, typer.Argument(help="Token to price it in.")],
    rpc: Rpc = None,
    as_json: Json = False,
) -> None:
    """Show the consolidated price of a pair: pools, means of v3 pools over time, feeds."""

    async def work() -> PairPrice:
        async with await AsyncDesk.from_env(rpc_url=rpc, read_only=True) as desk:
            return await desk.price(sell, buy)

    found = asyncio.run(work())
    if as_json:
        print_json(_to_json(found))
    else:
        _print(found)


def _print(found: PairPrice) -> None:
    price = found.consolidated.price
    shown = "no source counts" if price is None else f"{_decimal(found.scale(price))} {found.token_out}"
    facts = [
        ("block", str(found.block)),
        ("kinds apart", f"{float(found.consolidated.widest_divergence_bps):.2f} bps"),
    ]
    if (attack := found.attack) is not None:
        capital, loss = (format_amount(amount, found.token_in) for amount in (attack.capital, attack.loss))
        facts.append(
            (
                "to move a mean by -1 %",
                f"sell {capital} {found.token_in} in one block, at a loss of {loss} {found.token_in}"
                if attack.reached
                else "more than one block can do",
            )
        )
    print_facts(f"1 {found.token_in} = {shown}", facts)
    print_table(
        "Sources",
        ("Kind", "Source", "#Price", "#Age", "#Apart", "Refused"),
        [_row(found, source) for source in found.consolidated.sources],
    )


def _row(found: PairPrice, source: PriceSource) -> tuple[str, ...]:
    price, age = source.price, "" if source.age_s is None else f"{source.age_s} s"
    if price is None:
        return source.kind.value, source.name, "", age, "", source.refusal
    apart = f"{float(found.consolidated.divergence_bps(price)):.2f} bps"
    return source.kind.value, source.name, _decimal(found.scale(price)), age, apart, ""


def _to_json(found: PairPrice) -> dict[str, Any]:
    consolidated, attack = found.consolidated, found.attack
    return {
        "block_number": str(found.block.number),
        "block_hash": found.block.hash,
        "token_in": found.token_in.address,
        "token_out": found.token_out.address,
        "price": _text(found, consolidated.price),
        "divergence_bps": f"{float(consolidated.widest_divergence_bps):.4f}",
        "twap_attack": None
        if attack is None
        else {
            "shift_bps": attack.shift_bps,
            "window_s": attack.window_s,
            "held_s": attack.held_s,
            "capital": str(attack.capital),
            "loss": str(attack.loss),
            "fees": str(attack.fees),
            "reached": attack.reached,
        },
        "sources": [
            {
                "kind": source.kind.value,
                "name": source.name,
                "price": _text(found, source.price),
                "weight": str(source.weight),
                "age_s": source.age_s,
                "divergence_bps": None
                if source.price is None
                else f"{float(consolidated.divergence_bps(source.price)):.4f}",
                "refusal": source.refusal or None,
            }
            for source in consolidated.sources
        ],
    }


def _text(found: PairPrice, price: Fraction | None) -> str | None:
    return None if price is None else _decimal(found.scale(price))


def _decimal(price: Fraction) -> str:
    """Return ten significant digits, for people."""
    return f"{float(price):.10g}"
