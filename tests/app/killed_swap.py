"""A swap in a process that kills itself with SIGKILL right after a named step. Run as a program."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from onchain_exec.app.context import Step
from onchain_exec.app.desk import AsyncDesk


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


asyncio.run(swap(sys.argv[1], Step[sys.argv[2]], int(sys.argv[3])))
