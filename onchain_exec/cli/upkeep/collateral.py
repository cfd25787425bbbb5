"""``collateral``: how near liquidation the account is, wherever it has collateral."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Final

import typer

from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.positions.watch import PositionReport
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import Json, Rpc
from onchain_exec.cli.printing.output import messages, print_json, print_table
from onchain_exec.core import to_address
from onchain_exec.core.fixed_point import WAD
from onchain_exec.errors import InputError
from onchain_exec.risk.collateral import CollateralLimits
from onchain_exec.venues.collateral import Health

_LOOK_S: Final = 1.0


def collateral(
    rpc: Rpc = None,
    venue: Annotated[
        list[str] | None,
        typer.Option("--venue", help="KIND:ADDRESS, repeated for several. Default: those the chain lists."),
    ] = None,
    account: Annotated[
        str | None, typer.Option("--account", help="Whose. Default: the configured signer.")
    ] = None,
    min_health: Annotated[str, typer.Option("--min-health", help="Alarm below this health factor.")] = "1.0",
    min_distance_bps: Annotated[
        int, typer.Option("--min-distance-bps", help="Alarm when a price this near liquidates.")
    ] = 0,
    as_json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on at each new block until an alarm.")] = False,
) -> None:
    """Show every account with collateral: health factor, free collateral, liquidation prices.

    Ends with 4 when an alarm is found and 0 when not; Ctrl-C ends a watch with 0 too.
    """
    limits = CollateralLimits(
        min_health_factor_wad=_parse_wad(min_health), min_liquidation_distance_bps=min_distance_bps
    )

    async def work() -> Exit:
        async with await AsyncDesk.from_env(rpc_url=rpc) as desk:
            owner = to_address(account) if account else None
            found = await desk.collateral(*(venue or ()), owner=owner, limits=limits)
            _show(found, as_json=as_json)
            while watch and not any(report.alarms for report in found):
                await asyncio.sleep(_LOOK_S)
                before, found = found, await desk.collateral(*(venue or ()), owner=owner, limits=limits)
                if [report.health for report in found] != [report.health for report in before]:
                    _show(found, as_json=as_json)
        return Exit.FAILED if any(report.alarms for report in found) else Exit.DONE

    with suppress(*[KeyboardInterrupt] if watch else ()):
        raise typer.Exit(asyncio.run(work()))


def _parse_wad(text: str) -> int:
    try:
        return int(Decimal(text) * WAD)
    except (ArithmeticError, ValueError) as error:
        raise InputError(f"--min-health {text!r}", needed='a number, for example "1.5"') from error


def _show(found: tuple[PositionReport, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"accounts": [report.to_json() for report in found]})
        return
    rows = [
        (
            report.key,
            _show_factor(report.health),
            f"{report.health.free_collateral / report.health.unit:,.2f}",
            _show_nearest(report.health),
            ", ".join(alarm.code.value for alarm in report.alarms),
        )
        for report in found
    ]
    print_table("Collateral", ("Venue", "#Health factor", "#Free", "Nearest liquidation", "Alarms"), rows)
    for report in found:
        for alarm in report.alarms:
            messages.print(f"{report.key}: {alarm.found}; needed: {alarm.limit}", highlight=False)


def _show_factor(health: Health) -> str:
    return "owes nothing" if health.owes_nothing else f"{health.health_factor_wad / WAD:.4f}"


def _show_nearest(health: Health) -> str:
    nearest = min(health.liquidation_prices, key=lambda found: found.distance_bps, default=None)
    if nearest is None:
        return "none by one price"
    change = nearest.liquidation_price / nearest.price - 1
    return f"{nearest.asset} {change:+.2%}"
