"""Swaps in processes that kill themselves with SIGKILL right after a named step. Run as a program.

Each line that it reads is a swap, whose process is forked off this one; for each it writes how that process
ended (see `os.waitstatus_to_exitcode`). It quotes once itself: what that imports, no swap has to.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from few_venues import with_few_venues

from onchain_exec import LocalSigner
from onchain_exec.app.configuration.registry import get_chain_profile
from onchain_exec.app.desk import AsyncDesk, ignore
from onchain_exec.app.path.context import Observer, Step
from onchain_exec.app.sandbox.sandbox import CHAIN_ID


async def open_desk(asked: dict[str, Any], observe: Observer = ignore) -> AsyncDesk:
    """Open the desk that a line describes."""
    return await AsyncDesk.connect(
        asked["rpc_url"],
        signer=LocalSigner(asked["key"]),
        journal=asked["journal"],
        profile=with_few_venues(get_chain_profile(CHAIN_ID)),
        observe=observe,
    )


async def rehearse(asked: dict[str, Any]) -> None:
    """Quote what the first swap will be, with a journal that nobody keeps."""
    with TemporaryDirectory() as folder:
        async with await open_desk({**asked, "journal": Path(folder, "journal.sqlite")}) as desk:
            await desk.quote("WETH", "USDC", "1")


async def swap(asked: dict[str, Any]) -> None:
    """Sell 1 WETH for USDC; die after the given occurrence of the step (1 is the first)."""
    step, seen = Step[asked["step"]], 0

    def die(done: Step, made: object) -> None:
        nonlocal seen
        seen += done is step
        if done is step and seen == asked["occurrence"]:
            os.kill(os.getpid(), signal.SIGKILL)

    async with await open_desk(asked, die) as desk:
        name = asked["client_order_id"]
        await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id=name)


def run(asked: dict[str, Any]) -> int:
    """Swap in a process of its own; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        asyncio.run(swap(asked))
    finally:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    for number, line in enumerate(sys.stdin):
        asked = json.loads(line)
        if not number:
            asyncio.run(rehearse(asked))
            gc.freeze()  # else each child's first collection copies the parent's memory
        sys.stdout.write(f"{run(asked)}\n")
        sys.stdout.flush()
