"""``swap``: an order from the request to the fill."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.path.context import Observer, Step
from onchain_exec.app.path.ways import Choice
from onchain_exec.app.report import choice_to_json, denial_to_json, quote_to_json, transaction_to_json
from onchain_exec.app.request import Request
from onchain_exec.cli.asking import confirm
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import AmountOut, AmountText, Buy, JournalPath, Json, Rpc, Sell, Slippage
from onchain_exec.cli.printing.output import messages, print_json
from onchain_exec.cli.printing.views import (
    describe_channel,
    exit_of_order,
    print_denial,
    print_order,
    print_quote,
    print_transactions,
)
from onchain_exec.cli.trading.conditions import Conditions, parse_condition
from onchain_exec.core import Exact, Order
from onchain_exec.errors import InputError, NodeError
from onchain_exec.execution.channels import Decision
from onchain_exec.oms import Journal, OrderView
from onchain_exec.risk import Denied
from onchain_exec.routing import Quote

ClientOrderId = Annotated[
    str | None,
    typer.Option("--client-order-id", help="The same id again continues or reports that order."),
]


def swap(
    sell: Sell,
    buy: Buy,
    amount: AmountText = None,
    amount_out: AmountOut = None,
    max_slippage_bps: Slippage = None,
    client_order_id: ClientOrderId = None,
    condition: Conditions = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the unsigned transaction; sign and send nothing.")
    ] = False,
    rpc: Rpc = None,
    journal: JournalPath = None,
    as_json: Json = False,
) -> None:
    """Trade: show the plan, ask, send, wait, and report the fill."""
    if as_json and not (yes or dry_run):
        raise InputError("--json cannot ask", needed="--yes or --dry-run")
    request = replace(
        make_request(sell, buy, amount, amount_out, max_slippage_bps),
        client_order_id=client_order_id,
        conditions=[parse_condition(text) for text in condition or ()],
    )

    chosen = _Chosen(tells=not as_json)

    async def work() -> Exit:
        async with await _open_desk(rpc, journal, chosen) as desk:
            if dry_run:
                return await _show_plan(desk, request, chosen, as_json=as_json)
            view = await desk.continue_earlier(request)
            if view is None:
                found = await desk.prepare(request)
                if not as_json:
                    print_quote(found)
                if not yes and not confirm("Send it?"):
                    messages.print("Nothing was sent.")
                    return Exit.DONE
                view = await desk.execute(found)
        return _report(view, as_json=as_json)

    raise typer.Exit(asyncio.run(work()))


@dataclass
class _Chosen:
    """What an order is called, and the router and the channel it goes by, told to people as soon as they are
    known: whoever stops the command then knows what to ask for."""

    tells: bool
    order: Order | None = None
    router: Choice | None = None
    channel: Decision | None = None

    def __call__(self, _: Step, made: object) -> None:
        match made:
            case Quote():
                self.order = made.order
            case Order():
                self._tell(f"Order {made.client_order_id}")
            case Choice():
                self.router = made
                self._tell(f"Through {made}")
            case Decision():
                self.channel = made
                self._tell(f"By {describe_channel(made, self.order)}")

    def _tell(self, text: str) -> None:
        if self.tells:
            messages.print(text, highlight=False)


async def _open_desk(rpc: str | None, journal: str | None, observe: Observer) -> AsyncDesk:
    """Open the desk of an order; that its node fails is a line in the journal like any other failure."""
    try:
        return await AsyncDesk.from_env(rpc_url=rpc, journal=journal, observe=observe)
    except NodeError as error:
        with Journal.open(load_settings(journal=journal).journal) as opened:
            opened.append_failure(uuid.uuid4().hex, error)
        raise


async def _show_plan(desk: AsyncDesk, request: Request, chosen: _Chosen, *, as_json: bool) -> Exit:
    found = await desk.ask(request)
    planned = await desk.plan(found)
    if isinstance(planned, Denied):
        if as_json:
            print_json({"quote": quote_to_json(found), "denied": denial_to_json(planned)})
        else:
            print_quote(found)
            print_denial(planned)
        return Exit.DENIED
    if as_json:
        print_json(
            {
                "quote": quote_to_json(found),
                "router": chosen.router and choice_to_json(chosen.router),
                "channel": chosen.channel and chosen.channel.to_json(),
                "transaction": transaction_to_json(planned),
            }
        )
    else:
        print_quote(found)
        print_transactions(planned)
        messages.print("Nothing was signed or sent.")
    return Exit.DONE


def _report(view: OrderView, *, as_json: bool) -> Exit:
    if as_json:
        print_json(view.to_json())
    else:
        print_order(view)
    code = exit_of_order(view)
    if code is Exit.UNKNOWN and not as_json:
        messages.print(
            "The outcome is not known yet. The same --client-order-id again continues this order; "
            "`onchain-exec reconcile` looks it up."
        )
    return code


def make_request(
    sell: str,
    buy: str,
    amount: str | None,
    amount_out: str | None,
    max_slippage_bps: int | None,
) -> Request:
    """Return the request that the options of a trade describe."""
    if amount is not None and amount_out is not None:
        raise InputError("both --amount and --amount-out are given", needed="one of them")
    exact, units = (Exact.IN, amount) if amount_out is None else (Exact.OUT, amount_out)
    return Request(sell, buy, units, None, exact, max_slippage_bps)
