"""``onchain-exec``: the command line. Exit codes: 0 done, 2 bad input, 3 denied, 4 failed, 5 unknown."""

from __future__ import annotations

import sys

import typer

from onchain_exec.cli import approvals, doctor, engine, journal, local, pools, price, quote, route, trade
from onchain_exec.cli.exits import exit_code_of
from onchain_exec.cli.output import print_error
from onchain_exec.errors import OnchainExecError

app = typer.Typer(
    name="onchain-exec",
    help="Execute trades on-chain: exact quotes, checked orders, a journal that survives.\n\n"
    "Exit codes: 0 done, 2 bad input, 3 denied by a limit, 4 failed, 5 outcome not known yet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(local.demo)
app.command()(local.chain)
app.command()(quote.quote)
app.command()(trade.swap)
app.command()(route.route)
app.command()(price.price)
app.command()(route.arbitrage)
app.add_typer(pools.app, name="pools")
app.command()(journal.orders)
app.command()(journal.show)
app.command()(journal.reconcile)
app.command()(approvals.approvals)
app.command()(engine.engine)
app.command()(engine.serve)
app.command()(engine.pause)
app.command()(engine.resume)
app.command()(engine.kill)
app.command()(engine.cancel)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command line; every typed error becomes a message and an exit code."""
    try:
        app()
    except OnchainExecError as error:
        print_error(error, as_json="--json" in sys.argv)
        sys.exit(exit_code_of(error))
