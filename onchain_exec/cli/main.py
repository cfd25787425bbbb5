"""``onchain-exec``: the command line. Exit codes: 0 done, 2 bad input, 3 denied, 4 failed, 5 unknown,
130 interrupted."""

from __future__ import annotations

import sys
from typing import Final

import typer

from onchain_exec.cli.exits import Exit, exit_code_of
from onchain_exec.cli.lazy_command import list_commands
from onchain_exec.cli.printing.output import print_error
from onchain_exec.errors import InputError, OnchainExecError, StoppedError

COMMANDS: Final = (
    *list_commands(
        "upkeep.local",
        demo="Sell WETH for USDC through real pools on a local chain, and print every step of the path.",
        chain="Start a local chain with everything deployed and keep it until Ctrl-C.",
    ),
    *list_commands(
        "trading.quote",
        quote="Show what a trade would give: route, fees, impact, gas, and the bound that belongs to it.",
    ),
    *list_commands("trading.trade", swap="Trade: show the plan, ask, send, wait, and report the fill."),
    *list_commands(
        "trading.route",
        route="Find the best route over a file of pools, in exact base units, with its bound and gap.",
        basket="Sell several tokens for one, or buy several with one, over a file of pools.",
        arbitrage="Find and size the cycles over a file of pools that end with most of their first token.",
    ),
    *list_commands(
        "trading.price",
        price="Show the consolidated price of a pair: pools, means of v3 pools over time, feeds.",
    ),
    *list_commands(
        "trading.exposure",
        exposure="Show what others can take of a trade that they see: sandwich, arbitrage after it, delay.",
    ),
    *list_commands("trading.pools", pools="Read pools, and find those of a pair."),
    *list_commands(
        "upkeep.journal",
        orders="List the orders of the journal as last recorded; no node is asked.",
        show="Show one order as last recorded; no node is asked.",
        channels="Show what the chain has shown of each way out, and of each endpoint; no node is asked.",
        verify="Read the journal from its first line, and check each line's hash and the checkpoint.",
    ),
    *list_commands(
        "upkeep.reconcile",
        reconcile="Compare the journal with the chain and append what it corrects; sends nothing.",
    ),
    *list_commands(
        "upkeep.collateral",
        collateral="Show every account with collateral: health factor, free collateral, liquidation prices.",
    ),
    *list_commands(
        "upkeep.approvals", approvals="List the allowances that stand; with --revoke, take one back."
    ),
    *list_commands(
        "upkeep.engine",
        engine="Trade the journal's parent orders until SIGTERM or Ctrl-C; then begin nothing more.",
        serve="Run the engine and serve it over HTTP and WebSocket.",
    ),
    *list_commands(
        "upkeep.solve", solve="Settle the book of signed orders, turn by turn, until SIGTERM or Ctrl-C."
    ),
    *list_commands(
        "upkeep.switches",
        pause="Begin nothing new; what was signed is still looked after.",
        resume="Let a paused or killed scope run again.",
        kill="Sign nothing and send nothing more, in every process of the journal.",
        cancel="Ask for an order's cancellation.",
    ),
    *list_commands(
        "upkeep.deploy", deploy="Deploy our contracts, verify them, and list them where every desk looks."
    ),
    *list_commands(
        "upkeep.doctor", doctor="Look at the installation, the configuration, the node and the journal."
    ),
)

app = typer.Typer(
    name="onchain-exec",
    help="Execute trades on-chain: exact quotes, checked orders, a journal that survives.\n\n"
    "Exit codes: 0 done, 2 bad input, 3 denied by a limit, 4 failed, 5 outcome not known yet, 130 Ctrl-C.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; every typed error becomes a message and an exit code."""
    group = typer.main.get_group(app)
    for command in COMMANDS:
        group.add_command(command)
    as_json = "--json" in sys.argv
    found: OnchainExecError
    try:
        code = _run(group, as_json=as_json)
        if code != Exit.INTERRUPTED:
            sys.exit(code)
        found = StoppedError("Ctrl-C", todo="`onchain-exec reconcile` tells what became of what was signed")
    except OnchainExecError as error:
        found = error
    except typer.TyperException as error:
        found = InputError(error.format_message().removesuffix("."), todo="--help shows what there is")
    print_error(found, as_json=as_json)
    sys.exit(exit_code_of(found))


def _run(group: typer.core.TyperGroup, *, as_json: bool) -> int | str | None:
    """Return the exit code. What is wrong with their arguments Typer tells people of its own accord."""
    try:
        code: int | None = group(standalone_mode=not as_json)
    except SystemExit as ended:
        return ended.code
    return code
