"""``reconcile``: whether the journal and the chain agree."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Annotated, Final

import typer

from onchain_exec.app.configuration.journals import find_journal
from onchain_exec.app.desk import AsyncDesk
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import JournalPath, Json, Rpc
from onchain_exec.cli.printing.output import messages, print_facts, print_json
from onchain_exec.cli.printing.views import print_orders
from onchain_exec.errors import BlockNotFoundError
from onchain_exec.oms import BreakCode, Reconciliation

_LOOK_S: Final = 1.0
_PASSING: Final = frozenset({BreakCode.NODE_BEHIND, BreakCode.RECEIPT_MISSING, BreakCode.ALLOWANCE_LEFT})
"""Breaks that a node behind explains, or that are ours to mend: watching goes on."""


def reconcile(
    rpc: Rpc = None,
    journal: JournalPath = None,
    as_json: Json = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on at each new block, balances too, until they differ.")
    ] = False,
) -> None:
    """Compare the journal with the chain and append what it corrects; sends nothing.

    Ends with 0 when they agree and 4 when not; SIGTERM and Ctrl-C end a watch, with 0 too.
    """

    find_journal(journal)

    async def work() -> Exit:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT) if watch else ():
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with await AsyncDesk.from_env(rpc_url=rpc, journal=journal, read_only=True) as desk:
            found = await desk.reconcile()
            _show(found, as_json=as_json)
            while watch and all(known.code in _PASSING for known in found.breaks):
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), _LOOK_S)
                if stopped.is_set():
                    return Exit.DONE
                before, found = found, await _look_again(desk, found)
                if found.corrections or found.breaks != before.breaks:
                    _show(found, as_json=as_json)
        return Exit.FAILED if found.breaks else Exit.DONE

    raise typer.Exit(asyncio.run(work()))


async def _look_again(desk: AsyncDesk, before: Reconciliation) -> Reconciliation:
    """Compare at the newest block, and balances since the block before; without those after a reorg."""
    try:
        return await desk.reconcile(before.block)
    except BlockNotFoundError:
        return await desk.reconcile()


def _show(found: Reconciliation, *, as_json: bool) -> None:
    if as_json:
        print_json(found.to_json())
        return
    print_orders(found.orders)
    for correction in found.corrections:
        messages.print(f"corrected: {correction}", highlight=False)
    for each in found.breaks:
        title = " of ".join(filter(None, (each.code.value, each.order_id)))
        print_facts(title, [("found", each.found), ("expected", each.expected)], each.todo)
    if not found.breaks:
        messages.print("Journal and chain agree.")
