"""A sale by intent in processes that kill themselves with SIGKILL right after a named step. Run as a program.

Each line that it reads is a sale, whose process is forked off this one; for each it writes how that process
ended (see `os.waitstatus_to_exitcode`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from app.intents.intent_stage import MAKER_TOKEN, make_policy, open_desk

from onchain_exec.app.intents.http_book import HttpIntentBook
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.deployment import Deployment


async def sell(asked: dict[str, Any]) -> None:
    """Sell 1 WETH by an intent; die after the given occurrence of the step (1 is the first)."""
    step, seen = Step[asked["step"]], 0

    def die(done: Step, made: object) -> None:
        nonlocal seen
        seen += done is step
        if done is step and seen == asked["occurrence"]:
            os.kill(os.getpid(), signal.SIGKILL)

    async with AsyncExitStack() as resources:
        desk, _ = await open_desk(
            resources,
            asked["url"],
            asked["key"],
            Path(asked["journal"]),
            Deployment.from_json(asked["deployment"]).profile,
            HttpIntentBook(asked["book"], MAKER_TOKEN),
            make_policy(),
            die,
        )
        await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=100, client_order_id="one")


def run(asked: dict[str, Any]) -> int:
    """Sell in a process of its own; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        asyncio.run(sell(asked))
    finally:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{run(json.loads(line))}\n")
        sys.stdout.flush()
