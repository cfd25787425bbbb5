"""``demo`` and ``chain``: the real protocols on a chain of one's own."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Annotated, Any

import typer

from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.path.context import Step
from onchain_exec.app.report import quote_to_json
from onchain_exec.app.request import Request
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import Json
from onchain_exec.cli.printing.narrate import narrate
from onchain_exec.cli.printing.output import messages, print_facts, print_json, print_table
from onchain_exec.cli.printing.views import exit_of_order, print_order
from onchain_exec.core import Exact


def demo(
    amount: Annotated[str, typer.Option("--amount", help="Whole WETH to sell.")] = "25",
    as_json: Json = False,
) -> None:
    """Sell WETH for USDC through real pools on a local chain, and print every step of the path."""

    def watch(step: Step, made: Any) -> None:
        if not as_json:
            narrate(step, made)

    async def work() -> Exit:
        with messages.status("Starting a local chain with the real protocols…"):
            desk = await AsyncDesk.local(observe=watch)
        async with desk:
            quote = await desk.prepare(Request("WETH", "USDC", amount, None, Exact.IN, 30))
            view = await desk.execute(quote)
            found = await desk.reconcile()
        reconciled = not found.breaks
        if as_json:
            print_json(
                {
                    "order": view.to_json(),
                    "quote": quote_to_json(quote),
                    "quoted_amount_out": str(quote.amount_out),
                    "filled_amount_out": str(view.fill.amount_out) if view.fill else None,
                    "reconciled": reconciled,
                }
            )
        else:
            print_order(view)
            messages.print(
                "[bold green]Journal and chain agree.[/]"
                if reconciled
                else "[bold red]Journal and chain differ.[/]"
            )
        code = exit_of_order(view)
        return code if reconciled else Exit.FAILED

    raise typer.Exit(asyncio.run(work()))


def chain(
    fork_url: Annotated[
        str | None, typer.Option("--fork-url", help="Fork the chain behind this node.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", help="Loopback port; 0 takes a free one.", min=0, max=65_535)
    ] = 0,
    as_json: Json = False,
) -> None:
    """Start a local chain with everything deployed and keep it until Ctrl-C."""
    from onchain_exec.app.sandbox import Sandbox  # noqa: PLC0415 - only this command needs it

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with messages.status("Starting the chain…"):
        sandbox = Sandbox.start(fork_url=fork_url, port=port)
    with sandbox:
        document = sandbox.to_json()
        if as_json:
            print_json(document)
        else:
            print_facts(
                f"Chain {document['chain_id']} at {document['rpc_url']}",
                [("trader", document["trader"]), *document["tokens"].items()],
            )
            print_table(
                "Protocols",
                ("Protocol", "Contract", "Address"),
                [
                    (name, role, address)
                    for name, contracts in document["protocols"].items()
                    for role, address in contracts.items()
                ],
            )
            messages.print("Ctrl-C ends it.")
        stop.wait()
