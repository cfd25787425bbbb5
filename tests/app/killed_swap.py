"""Swaps in processes that kill themselves with SIGKILL right after a named step. Run as a program.

It imports everything once; each line that it reads is a swap, whose process is forked off it. For each it
writes how that process ended (see `os.waitstatus_to_exitcode`).
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from typing import Any

from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.path.context import Step


async def swap(client_order_id: str, step: Step, occurrence: int) -> None:
    """Sell 1 WETH for USDC; die after the given occurrence of the step (1 is the first)."""
    seen = 0

    def die(done: Step, made: object) -> None:
        nonlocal seen
        seen += done is step
        if done is step and seen == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    async with await AsyncDesk.from_env(observe=die) as desk:
        await desk.sell("WETH", "1", buy="USDC", max_slippage_bps=50, client_order_id=client_order_id)


def run(asked: dict[str, Any]) -> int:
    """Swap in a process of its own; return how it ended."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    try:
        asyncio.run(swap(asked["client_order_id"], Step[asked["step"]], asked["occurrence"]))
    finally:
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(f"{run(json.loads(line))}\n")
        sys.stdout.flush()
