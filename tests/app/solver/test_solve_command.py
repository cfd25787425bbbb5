"""``onchain-exec solve`` as a process: it settles what rests, and ends when it is asked to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from app.solver.solver_stage import Stage

from onchain_exec.oms.signed_book import RestState

PATIENCE_S = 120.0


async def test_solve_settles_the_book_until_sigterm(stage: Stage) -> None:
    resting = stage.sign(stage.order(0, (10, "WETH"), (25_000, "USDC")))
    environment = os.environ | {
        "ONCHAIN_EXEC_RPC_URL": stage.sandbox.url,
        "ONCHAIN_EXEC_JOURNAL": str(stage.journal),
    }
    async with stage.solving() as solving:
        solving.rest(resting)
        command = [sys.executable, "-m", "onchain_exec.cli", "solve", "--every", "0.1"]
        with subprocess.Popen(command, env=environment, cwd=stage.journal.parent) as solver:
            ends_at = time.monotonic() + PATIENCE_S
            while time.monotonic() < ends_at and solver.poll() is None:
                known = solving.book.find(resting.digest)
                assert known is not None
                if known.get_state(stage.now) is RestState.FILLED:
                    break
                time.sleep(0.05)
            solver.send_signal(signal.SIGTERM)
            assert solver.wait(PATIENCE_S) == 0
        assert stage.lane(resting.order.owner).filled == resting.order.amount_in
        (fill,) = solving.book.list_fills(resting.digest)
        assert fill.amount_in == resting.order.amount_in
