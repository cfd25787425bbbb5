"""``solve``."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from onchain_exec.app.solver import SolverPolicy, open_solver
from onchain_exec.cli.options import JournalPath, Rpc
from onchain_exec.cli.printing.output import messages
from onchain_exec.core import to_address


def solve(
    rpc: Rpc = None,
    journal: JournalPath = None,
    every: Annotated[float, typer.Option(help="Seconds between two turns.", min=0.1)] = 12.0,
    fee_bps: Annotated[
        int,
        typer.Option(
            help="What the solver keeps of a payment, as far as the order allows.", min=0, max=10_000
        ),
    ] = 0,
    covers_gas: Annotated[
        bool, typer.Option("--covers-gas", help="Leave batches that earn less than their gas.")
    ] = False,
    most_orders: Annotated[int, typer.Option(help="Orders in one batch.", min=1)] = 50,
    surplus_to: Annotated[
        str | None, typer.Option(help="Who gets fees and surplus; the solver's account if nobody is named.")
    ] = None,
) -> None:
    """Settle the book of signed orders, turn by turn, until SIGTERM or Ctrl-C. Each turn matches what rests
    with itself and the pools, simulates, signs, sends and records."""
    policy = SolverPolicy(
        surplus_to=to_address(surplus_to) if surplus_to else None,
        fee_bps=fee_bps,
        covers_gas=covers_gas,
        most_orders=most_orders,
    )

    async def work() -> None:
        async with open_solver(policy, rpc_url=rpc, journal=journal) as opened:
            running = asyncio.create_task(opened.run(every))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, running.cancel)
            messages.print("The solver runs; Ctrl-C ends it.")
            try:
                await running
            except asyncio.CancelledError:
                messages.print("Ended. What was sent is looked up by the next start.")

    asyncio.run(work())
