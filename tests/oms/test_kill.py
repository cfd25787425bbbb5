"""SIGKILL at every point of the path, whatever becomes of the sends: never twice, never lost; and the
harness sees what is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oms.kill_harness import FAULTS, POINTS

TESTS = Path(__file__).parents[1]

pytestmark = pytest.mark.timeout(1_500)  # a busy machine forks slowly


@pytest.fixture(scope="module")
def run_harness() -> Iterator[Callable[..., dict[str, Any]]]:
    """Run the harness in a process of its own, since it forks; one for all, since it imports much."""
    with subprocess.Popen(
        [sys.executable, "-m", "oms.kill_harness", "-"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as harness:

        def run(kills: int, *options: str, seed: int = 1) -> dict[str, Any]:
            assert harness.stdin
            assert harness.stdout
            harness.stdin.write(" ".join((f"--kills={kills}", f"--seed={seed}", *options)) + "\n")
            harness.stdin.flush()
            tally: dict[str, Any] = json.loads(harness.stdout.readline())
            return tally

        yield run


def require_exactly_once(tally: dict[str, Any], kills: int) -> None:
    assert tally["errors"] == []
    assert (tally["doubled"], tally["missing"], tally["early"]) == (0, 0, 0)
    assert tally["ledger"] == []
    assert tally["kills"] >= kills
    assert set(tally["points"]) == set(POINTS)


@pytest.mark.parametrize("seed", range(1, 5))
def test_kill_anywhere_under_any_fault_trades_each_intent_exactly_once(run_harness, seed):
    tally = run_harness(500, seed=seed)
    require_exactly_once(tally, 500)
    assert set(tally["under"]) == set(FAULTS)


def test_kill_anywhere_on_a_real_node_trades_each_intent_exactly_once(run_harness):
    require_exactly_once(run_harness(50, "--anvil"), 50)


@pytest.mark.parametrize(
    ("mutant", "fault", "found"),
    [
        ("SendBeforeCommit", "", "doubled"),
        ("NewNonceOnTooLow", "", "doubled"),
        ("NoRebroadcast", "", "missing"),
        ("TrustsReceipts", "orphaned", "missing"),
    ],
)
def test_kill_mutant_is_caught(run_harness, mutant, fault, found):
    assert run_harness(1_000, f"--trader={mutant}", f"--fault={fault}")[found] > 0


@pytest.mark.deep
@pytest.mark.timeout(14_000)
@pytest.mark.parametrize("seed", range(9, 19))
def test_kill_anywhere_under_any_fault_deep(run_harness, seed):
    require_exactly_once(run_harness(10_000, seed=seed), 10_000)
