"""Surroundings for the tests of `app.deploy`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(1, str(Path(__file__).parent))

from deploy_stage import DeployStage

from onchain_exec.app.sandbox.sandbox import Sandbox


@pytest.fixture
def stage(fork: Sandbox, tmp_path: Path) -> DeployStage:
    """A deployment on the test's own fork."""
    return DeployStage(fork, tmp_path)
