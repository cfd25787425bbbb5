"""From settings to a running engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.desk import ignore
from onchain_exec.app.engine.engine import Engine
from onchain_exec.app.engine.lane import DeskPath, Lane
from onchain_exec.app.engine.prices import MarketPrices
from onchain_exec.app.path.context import Observer
from onchain_exec.app.path.run import require_signer


@asynccontextmanager
async def open_engine(observe: Observer = ignore, **arguments: Any) -> AsyncIterator[Engine]:
    """Open the engine of the configuration (see `AsyncDesk.from_env`): its chain, its account, its journal.

    Raises:
        ConfigError: a setting is missing, or there is no key to trade with.
        NodeError, JournalError: as for `AsyncDesk.connect`.
    """
    opening = Opening.configured(load_settings(**arguments), observe)
    async with AsyncExitStack() as resources:
        context = await opening.open(resources)
        signer = require_signer(context)
        lane = Lane(context, {signer.address: signer}, DeskPath(context), MarketPrices(context))
        yield Engine(context.journal, [lane])
