"""A server with a book on a real chain, called in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from app.signed_book.settle_chain import SettleChain, deploy_settle_chain, load_settle_chain
from oms.signed_book.resting import place_journal
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from onchain_exec import LocalSigner
from onchain_exec.app.engine import DeskPath, Engine, Lane
from onchain_exec.app.path.context import Context, Policy
from onchain_exec.app.sandbox.sandbox import CHAIN_ID
from onchain_exec.chain import Node
from onchain_exec.chain.opening import open_rpc
from onchain_exec.clearing.settle import SettleOrder, Signed
from onchain_exec.clearing.settle.contract import SETTLE_ERRORS
from onchain_exec.oms import Journal
from onchain_exec.oms.signed_book.terms import order_to_json, signed_to_json
from onchain_exec.server.api import make_app
from onchain_exec.server.book.service import BookService, open_service

TOKEN, MAKER_TOKEN = "0123456789abcdef", "fedcba9876543210"


def to_body(order: SettleOrder, signed: Signed) -> dict[str, Any]:
    """Return a signed order as it is sent."""
    return {"order": order_to_json(order), "signed": signed_to_json(signed)}


@dataclass
class BookServed:
    """The server's parts; ``desk`` holds the server's token, ``maker`` a maker's."""

    chain: SettleChain
    context: Context
    service: BookService
    desk: TestClient
    maker: TestClient

    def body(self, order: SettleOrder, signed: Signed | None = None) -> dict[str, Any]:
        """Return an order as it is sent, signed by its owner or as given."""
        return to_body(order, signed or self.chain.sign(order))

    def submit(self, order: SettleOrder) -> dict[str, Any]:
        """Send an order that is taken in; return it as it is shown."""
        given = self.maker.post("/book/orders", json=self.body(order))
        assert given.status_code == 201, given.text
        return given.json()


@pytest.fixture(scope="module")
def settle_chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettleChain]:
    """One chain for the tests of a module: each order is on a lane of its own."""
    with load_settle_chain(deploy_settle_chain(tmp_path_factory.getbasetemp())) as chain:
        yield chain


@pytest.fixture
def served(
    settle_chain: SettleChain, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BookServed]:
    """A server that nobody has asked anything."""
    place_journal(tmp_path, tmp_path_factory.getbasetemp())
    with serve_book(settle_chain, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared(settle_chain: SettleChain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BookServed]:
    """One server for the tests of a module that leave others' orders and requests alone."""
    with serve_book(settle_chain, tmp_path_factory.mktemp("shared")) as running:
        yield running


@contextmanager
def serve_book(chain: SettleChain, folder: Path) -> Iterator[BookServed]:
    """Yield a server on the chain, whose second account is the desk's, called in this process."""
    with open_book(chain, folder) as (app, service):
        maker = TestClient(app, headers={"Authorization": f"Bearer {MAKER_TOKEN}"})
        with TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"}) as desk:
            maker.portal = desk.portal  # one loop for both: the node's connection belongs to it
            context = service.context
            yield BookServed(chain, context, service, desk, maker)
            assert desk.portal
            desk.portal.call(context.node.close)


@contextmanager
def open_book(chain: SettleChain, folder: Path) -> Iterator[tuple[ASGIApp, BookService]]:
    """Yield the application and its book; the caller closes its node."""
    signer = LocalSigner(chain.trader.key, chain_id=CHAIN_ID)
    where, now = folder / "journal.sqlite", chain.now
    with Journal.open(where) as journal:
        context = Context(
            node=Node(open_rpc(chain.chain.url, CHAIN_ID), CHAIN_ID, errors=SETTLE_ERRORS),
            profile=chain.profile,
            journal=journal,
            policy=Policy(),
            signer=signer,
            now=lambda: now,
            observe=lambda *_: None,
        )
        engine = Engine(journal, [Lane(context, {signer.address: signer}, DeskPath(context))])
        with open_service(engine.lanes[0], where) as service:
            assert service
            yield make_app(engine, TOKEN, service, [MAKER_TOKEN]), service
