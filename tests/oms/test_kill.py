"""SIGKILL at every point of the path: never twice, never lost; and the harness sees what is broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oms.kill_harness import POINTS

TESTS = Path(__file__).parents[1]


def run_harness(kills: int, seconds: float, trader: str = "Trader", seed: int = 1) -> dict[str, Any]:
    """Run the harness in a process of its own, since it forks."""
    options = {"--kills": kills, "--seconds": seconds, "--trader": trader, "--seed": seed}
    arguments = [str(word) for option in options.items() for word in option]
    done = subprocess.run(
        [sys.executable, "-m", "oms.kill_harness", *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        check=True,
        timeout=seconds + 120,
    )
    tally: dict[str, Any] = json.loads(done.stdout)
    return tally


def require_exactly_once(tally: dict[str, Any]) -> None:
    assert tally["errors"] == []
    assert (tally["doubled"], tally["missing"], tally["early"]) == (0, 0, 0)
    assert tally["ledger"] == []
    assert tally["intents"] > 0


def test_kill_anywhere_trades_each_intent_exactly_once():
    tally = run_harness(kills=300, seconds=25)
    require_exactly_once(tally)
    assert set(tally["points"]) == set(POINTS)


@pytest.mark.parametrize(
    ("mutant", "fault"),
    [("SendBeforeCommit", "doubled"), ("NewNonceOnTooLow", "doubled"), ("NoRebroadcast", "missing")],
)
def test_kill_mutant_is_caught(mutant, fault):
    assert run_harness(kills=200, seconds=30, trader=mutant)[fault] > 0


@pytest.mark.deep
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("seed", range(2, 6))
def test_kill_anywhere_deep(seed):
    require_exactly_once(run_harness(kills=5_000, seconds=800, seed=seed))
