"""Surroundings for the tests of `app`: the command line on a fork of the deployed chain."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runner import Cli

from onchain_exec.app.sandbox.sandbox import Sandbox


@pytest.fixture
def cli(fork: Sandbox, tmp_path: Path) -> Cli:
    """The command line against the test's own fork."""
    return Cli(fork.url, tmp_path / "journal.sqlite")
