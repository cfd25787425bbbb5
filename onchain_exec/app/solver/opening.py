"""From settings to a running solver."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.desk import ignore
from onchain_exec.app.path.context import Observer
from onchain_exec.app.signed_book import follow_chain
from onchain_exec.app.solver.place import find_place
from onchain_exec.app.solver.settling import SolverPolicy
from onchain_exec.app.solver.solver import Solver
from onchain_exec.oms.signed_book import SignedBook


@asynccontextmanager
async def open_solver(
    policy: SolverPolicy, observe: Observer = ignore, **arguments: Any
) -> AsyncIterator[Solver]:
    """Open the solver of the configuration (see `AsyncDesk.from_env`), on the book beside its journal, which
    follows the chain meanwhile.

    Raises:
        ConfigError: a setting or contract is missing, or there is no key to settle with.
        NodeError, JournalError: as for `AsyncDesk.connect`.
    """
    settings = load_settings(**arguments)
    async with AsyncExitStack() as resources:
        context = await Opening.configured(settings, observe).open(resources)
        place = await find_place(context)
        book = SignedBook.open(settings.journal, place.domain)
        resources.callback(book.close)
        following = asyncio.create_task(follow_chain(context.node, book))
        try:
            yield Solver(context, place, book, policy)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
