"""Surroundings for the tests of `app`: the command line on a fork of the deployed chain."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(1, str(Path(__file__).parents[1] / "sandbox"))  # what the real quoters say is asked there
sys.path.insert(2, str(Path(__file__).parents[1] / "venues"))  # stand-ins of pools are compiled there

from cli_runner import Cli

from onchain_exec.app.sandbox.sandbox import Sandbox


@pytest.fixture
def cli(fork: Sandbox, tmp_path: Path) -> Cli:
    """The command line against the test's own fork."""
    return Cli(fork.url, tmp_path / "journal.sqlite")
