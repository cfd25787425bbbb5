"""Two ``onchain-exec solve`` on one book in PostgreSQL, killed at any moment: what rests is settled, once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from app.solver.solver_stage import Solving, Stage
from oms import postgres

from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.clearing.settle.order_book import OpenOrder
from onchain_exec.oms import OrderState, reconcile
from onchain_exec.oms.signed_book import RestState

PATIENCE_S = 300.0
KILLS = 12


@pytest.fixture
def stage(prepared: Sandbox) -> Iterator[Stage]:
    pytest.importorskip("pgserver", reason="it has no release for this Python")
    with postgres.run_postgres() as server, prepared.fork() as fork:
        yield Stage(fork, postgres.make_database(server, "book"))


class Process:
    """A solver of the book that is started anew whenever it was killed; what it says is in a file."""

    def __init__(self, stage: Stage, said: Path) -> None:
        self._command = [sys.executable, "-m", "onchain_exec.cli", "solve", "--every", "0.1"]
        settings = {"ONCHAIN_EXEC_RPC_URL": stage.sandbox.url, "ONCHAIN_EXEC_JOURNAL": str(stage.journal)}
        self._environment, self._said = os.environ | settings, said
        self.start()

    def start(self) -> None:
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                self._command, env=self._environment, cwd=self._said.parent, stdout=said, stderr=said
            )

    async def wait_until_it_runs(self) -> None:
        ends_at = time.monotonic() + PATIENCE_S
        while b"The solver runs" not in self._said.read_bytes():
            assert time.monotonic() < ends_at, self._said.read_text()
            await asyncio.sleep(0.05)

    def kill(self) -> None:
        self._process.kill()
        assert self._process.wait(PATIENCE_S) == -signal.SIGKILL


@contextmanager
def run_two(stage: Stage, folder: Path) -> Iterator[tuple[Process, Process]]:
    both = Process(stage, folder / "one.log"), Process(stage, folder / "other.log")
    try:
        yield both
    finally:
        for process in both:
            process.kill()


@pytest.mark.deep
async def test_solve_two_processes_killed_at_random_settle_everything_once(
    stage: Stage, tmp_path: Path, rng: random.Random
) -> None:
    sent_before = stage.count_sent()
    async with stage.solving() as solving:
        since = await solving.context.node.get_block("latest")
        with run_two(stage, tmp_path) as processes:
            rested: list[OpenOrder] = []
            for number in range(KILLS):
                rested += rest_two(stage, solving, lane=number)
                for process in processes:
                    await process.wait_until_it_runs()
                await asyncio.sleep(rng.uniform(0, 2))
                killed = rng.choice(processes)
                killed.kill()
                killed.start()
            await wait_until_filled(stage, solving, rested)
        states = Counter(view.state for view in solving.context.journal.read_orders())
        assert states[OrderState.FILLED] == stage.count_sent() - sent_before
        assert states.keys() <= {OrderState.FILLED, OrderState.REJECTED}
        for resting in rested:
            fills = solving.book.list_fills(resting.digest)
            assert sum(fill.amount_in for fill in fills) == resting.order.amount_in
            assert stage.lane(resting.order.owner, resting.order.lane).filled == resting.order.amount_in
        assert (await reconcile(solving.context.node, solving.context.journal, since=since)).breaks == ()


def rest_two(stage: Stage, solving: Solving, lane: int) -> list[OpenOrder]:
    """Put two orders into the book that meet in part."""
    orders = [
        stage.sign(stage.order(0, (1, "WETH"), (2_500, "USDC"), lane=lane)),
        stage.sign(stage.order(2, (1_000, "USDC"), (0.3, "WETH"), lane=lane)),
    ]
    solving.rest(*orders)
    return orders


async def wait_until_filled(stage: Stage, solving: Solving, rested: list[OpenOrder]) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        found = [solving.book.find(resting.digest) for resting in rested]
        if all(known and known.get_state(stage.now) is RestState.FILLED for known in found):
            return
        await asyncio.sleep(0.2)
    pytest.fail(f"not all is settled after {PATIENCE_S} s")
