"""From settings to a running engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from onchain_exec.app.context import Observer
from onchain_exec.app.desk import ignore
from onchain_exec.app.endpoints import open_configured_rpc
from onchain_exec.app.engine.engine import Engine
from onchain_exec.app.engine.lane import DeskPath, Lane
from onchain_exec.app.engine.prices import MarketPrices
from onchain_exec.app.opening import Opening, make_policy, make_signer
from onchain_exec.app.run import require_signer
from onchain_exec.app.settings import load_settings


@asynccontextmanager
async def open_engine(observe: Observer = ignore, **arguments: Any) -> AsyncIterator[Engine]:
    """Open the engine of the configuration (see `AsyncDesk.from_env`): its chain, its account, its journal.

    Raises:
        ConfigError: a setting is missing, or there is no key to trade with.
        NodeError, JournalError: as for `AsyncDesk.connect`.
    """
    settings = load_settings(**arguments)
    opening = Opening(
        open_configured_rpc(settings),
        lambda chain_id: make_signer(settings, chain_id),
        settings.journal,
        make_policy(settings),
        observe,
        chain_id=settings.chain_id,
        deployments=settings.deployments,
    )
    async with AsyncExitStack() as resources:
        context = await opening.open(resources)
        signer = require_signer(context)
        lane = Lane(context, {signer.address: signer}, DeskPath(context), MarketPrices(context))
        yield Engine(context.journal, [lane])
