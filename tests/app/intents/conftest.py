"""A desk, a book and a solver on a chain of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from app.intents.intent_stage import World, open_world

from onchain_exec.app.sandbox.sandbox import Sandbox


@pytest.fixture
async def world(fork: Sandbox, tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(fork, tmp_path) as world:
        yield world
