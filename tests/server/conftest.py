"""A server in front of an engine on a simulated chain, called in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from engine.paper_path import PaperMarket, PaperPath
from engine.simulation import KEYS, PROFILE, CountingSigner
from starlette.testclient import TestClient

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.engine import Engine, Lane
from onchain_exec.app.path.context import Context, Policy
from onchain_exec.chain import Node
from onchain_exec.oms import Journal
from onchain_exec.server.api import make_app
from onchain_exec.testing.simulated import Fate, SimulatedChain, SimulatedNode

TOKEN = "0123456789abcdef"


@dataclass
class Served:
    """The server's parts, and a client that holds the token."""

    engine: Engine
    chain: SimulatedChain
    signer: CountingSigner
    client: TestClient

    async def trade(self, blocks: int = 1) -> None:
        """Let the engine take a turn, and a block follow, again and again."""
        for _ in range(blocks):
            await self.engine.turn(self.engine.lanes[0])
            self.chain.mine()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve_engine(tmp_path, PROFILE) as running:
        yield running


@contextmanager
def serve_engine(folder: Path, profile: ChainProfile) -> Iterator[Served]:
    """Yield a server whose chain's profile is this one."""
    fate = Fate(1, latency_s=0.0)
    market = PaperMarket(lambda number: 2_000, is_trusted=True)
    chain = SimulatedChain(contract=market.run)
    node = Node(SimulatedNode(chain, fate), chain.chain_id)
    signer = CountingSigner(KEYS[0], fate)
    with Journal.open(folder / "journal.sqlite", clock=lambda: chain.head.timestamp) as journal:
        context = Context(
            node=node,
            profile=profile,
            journal=journal,
            policy=Policy(),
            signer=None,
            now=lambda: chain.head.timestamp,
            observe=lambda *_: None,
        )
        lane = Lane(context, {signer.address: signer}, PaperPath(node, chain, market))
        engine = Engine(journal, [lane])
        app = make_app(engine, TOKEN)
        with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            yield Served(engine, chain, signer, client)
