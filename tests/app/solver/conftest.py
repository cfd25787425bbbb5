"""A chain of makers for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app.solver.solver_stage import Stage

from onchain_exec.app.sandbox.sandbox import Sandbox


@pytest.fixture(scope="session")
def prepared(local_chain: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox on which the makers are ready, and the file that its forks are loaded from."""
    folder = tmp_path_factory.mktemp("solver")
    with local_chain.fork() as fork:
        Stage(fork, folder).prepare()
        fork.chain.dump_state(folder / "state.json")
        head = int(fork.chain.request("eth_blockNumber"), 16)
        yield Sandbox(fork.chain, fork.deployment, (folder / "state.json", head))


@pytest.fixture
def stage(prepared: Sandbox, tmp_path: Path) -> Iterator[Stage]:
    with prepared.fork() as fork:
        yield Stage(fork, tmp_path / "journal.sqlite")
