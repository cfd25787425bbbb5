"""What stops an engine, or one order of it: ``pause``, ``resume``, ``kill``, ``cancel``."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from onchain_exec.app.configuration.journals import find_order, open_journal
from onchain_exec.app.pools.discovery import PROTOCOLS
from onchain_exec.app.positions.reads import VENUES
from onchain_exec.app.scopes import parse_stop
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import JournalPath, Json
from onchain_exec.cli.printing.output import messages, print_json
from onchain_exec.oms import EVERYTHING, OrderState, SwitchState

_EXITS: Final = {OrderState.CANCELLED: Exit.DONE, OrderState.CANCEL_PENDING: Exit.UNKNOWN}

Scope = Annotated[
    str,
    typer.Option(
        "--scope",
        help="all; account:0x...; or venue:NAME. NAME is swaps (every trade with pools, whatever their "
        "protocol), settle (all that the Settle contract settles: batches, intents, quotes), settle_rfq "
        f"(quotes alone), or a protocol, whatever goes through it: {', '.join((*PROTOCOLS, *VENUES))}.",
    ),
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the journal.")]


def pause(
    scope: Scope = EVERYTHING, reason: Reason = "", journal: JournalPath = None, as_json: Json = False
) -> None:
    """Begin nothing new; what was signed is still looked after. It holds in every process of the journal."""
    _switch(scope, SwitchState.PAUSED, reason, journal, as_json=as_json)


def resume(
    scope: Scope = EVERYTHING, reason: Reason = "", journal: JournalPath = None, as_json: Json = False
) -> None:
    """Let a paused or killed scope run again."""
    _switch(scope, SwitchState.RUNNING, reason, journal, as_json=as_json)


def kill(
    scope: Scope = EVERYTHING, reason: Reason = "", journal: JournalPath = None, as_json: Json = False
) -> None:
    """Sign nothing and send nothing more, in every process of the journal. What was sent before may still
    be mined. Of a venue it is what a pause is: what was signed there before is looked after, unless all or
    the account is killed."""
    _switch(scope, SwitchState.KILLED, reason, journal, as_json=as_json)


def cancel(
    order: Annotated[str, typer.Argument(help="Id, client order id, or transaction hash of an order.")],
    journal: JournalPath = None,
    as_json: Json = False,
) -> None:
    """Ask for an order's cancellation: at once where nothing is signed; else a running engine, or `swap` with
    its client order id again, makes a cancel compete for its nonce, or for an intent's lane.

    Ends with 5 while that is to come, and with 4 if the order ended otherwise.
    """
    with open_journal(journal) as opened:
        parent = opened.find_parent(order)
        name = parent.parent.order_id if parent else find_order(opened, order).order_id
        opened.append_cancel(name)
        view = opened.find_parent(name) or opened.read_order(name)
    if as_json:
        print_json(view.to_json())
    else:
        messages.print(f"{name} is {view.state.value}")
        if view.state is OrderState.CANCEL_PENDING:
            messages.print(
                "Nothing was sent yet: a running engine does, or `swap` with its --client-order-id again."
            )
    raise typer.Exit(_EXITS.get(view.state, Exit.FAILED))


def _switch(scope: str, state: SwitchState, reason: str, journal: str | None, *, as_json: bool) -> None:
    with open_journal(journal) as opened:
        opened.append_switch(parse_stop(scope), state, reason)
        switches = [switch.to_json() for switch in opened.read_switches().values()]
    if as_json:
        print_json({"switches": switches})
    else:
        messages.print(f"{scope} is {state.value}")
