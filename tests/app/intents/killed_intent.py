"""A sale by intent in processes that kill themselves with SIGKILL right after a named step. Run as a
program."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from app.dying import die_after, serve
from app.intents.intent_stage import MAKER_TOKEN, make_policy, open_desk

from onchain_exec.app.intents.http_book import HttpIntentBook
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.deployment import Deployment


async def sell(asked: dict[str, Any]) -> None:
    """Sell 1 WETH by an intent; die after the given occurrence of the step."""
    async with AsyncExitStack() as resources:
        desk, _ = await open_desk(
            resources,
            asked["url"],
            asked["key"],
            Path(asked["journal"]),
            Deployment.from_json(asked["deployment"]).profile,
            HttpIntentBook(asked["book"], MAKER_TOKEN),
            make_policy(),
            die_after(Step[asked["step"]], asked["occurrence"]),
        )
        await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=100, client_order_id="one")


if __name__ == "__main__":
    serve(sell)
