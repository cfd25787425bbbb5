"""A server as a process: it follows the chain, and what it acknowledged before it was killed in the midst of
taking orders in is there after."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from app.signed_book.settle_chain import WETH, SettleChain

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.erc20 import approve
from onchain_exec.clearing.settle import SettleOrder
from onchain_exec.oms.signed_book import SignedBook
from onchain_exec.oms.signed_book.terms import order_to_json, signed_to_json

TOKEN = "0123456789abcdef"
SENDERS, ORDERS = 4, 10


@pytest.fixture
def sandbox_settle(fork: Sandbox) -> SettleChain:
    """The sandbox, with a maker for each sender."""
    chain = SettleChain(fork.chain, fork.deployment)
    for maker in chain.makers[:SENDERS]:
        fork.fund(maker.address, chain.weth, 100 * WETH)
        approve(chain.evm, chain.weth, maker.address, chain.contract)
    return chain


@contextmanager
def run_server(fork: Sandbox, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a process that serves, and its URL; kill it at the end."""
    command = [sys.executable, "-m", "onchain_exec.cli", "serve", "--rpc", fork.url, "--port", "0"]
    given = {"ONCHAIN_EXEC_API_TOKEN": TOKEN, "ONCHAIN_EXEC_PRIVATE_KEY": fork.trader.key}
    process = subprocess.Popen(command, cwd=folder, env=os.environ | given, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stderr)
        yield process, next(url[0] for url in found if url)
    finally:
        process.kill()
        process.communicate()


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Send a body, or just ask."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def send_until_killed(
    url: str, bodies: list[dict[str, Any]], acknowledged: list[str], enough: threading.Event, kill_at: int
) -> None:
    """Send orders one after the other; note what was acknowledged."""
    for body in bodies:
        try:
            acknowledged.append(ask(url, "/book/orders", body)["digest"])
        except (OSError, http.client.HTTPException):
            return
        if len(acknowledged) >= kill_at:
            enough.set()


def test_server_follows_lanes_and_killed_in_its_midst_keeps_what_it_acknowledged(
    fork: Sandbox, sandbox_settle: SettleChain, tmp_path: Path, rng: random.Random
) -> None:
    kill_and_compare(fork, sandbox_settle, tmp_path, rng.randrange(5, 25))


@pytest.mark.deep
@pytest.mark.parametrize("kill_at", range(1, 36))
def test_intake_killed_after_any_acknowledgement_keeps_all_before(
    fork: Sandbox, sandbox_settle: SettleChain, tmp_path: Path, kill_at: int
) -> None:
    kill_and_compare(fork, sandbox_settle, tmp_path, kill_at)


def cancel_and_wait(url: str, chain: SettleChain) -> None:
    """Send an order, cancel its lane on chain, and wait until the server knows."""
    order = chain.order()
    digest = ask(url, "/book/orders", sign(chain, order))["digest"]
    chain.cancel(order)
    ends_at = time.monotonic() + 120
    while ask(url, f"/book/orders/{digest}")["state"] != "cancelled":
        assert time.monotonic() < ends_at
        time.sleep(0.05)


def sign(chain: SettleChain, order: SettleOrder) -> dict[str, Any]:
    """Return an order as it is sent."""
    return {"order": order_to_json(order), "signed": signed_to_json(chain.sign(order))}


def kill_and_compare(fork: Sandbox, chain: SettleChain, folder: Path, kill_at: int) -> None:
    orders = [[chain.order(maker=sender) for _ in range(ORDERS)] for sender in range(SENDERS)]
    bodies = [[sign(chain, order) for order in part] for part in orders]
    acknowledged: list[str] = []
    enough = threading.Event()
    with run_server(fork, folder) as (process, url):
        cancel_and_wait(url, chain)
        senders = [
            threading.Thread(target=send_until_killed, args=(url, part, acknowledged, enough, kill_at))
            for part in bodies
        ]
        for sender in senders:
            sender.start()
        assert enough.wait(120)
        process.send_signal(signal.SIGKILL)
        for sender in senders:
            sender.join()
    with closing(SignedBook.open(folder / "onchain-exec.sqlite", chain.domain)) as book:
        kept = {"0x" + resting.digest.hex() for resting in book.list_open(chain.now)}
        numbers = [booked.number for booked in book.read_changes(0).orders]
    first = 2  # after the order that was cancelled, and its cancellation
    assert len(acknowledged) >= kill_at
    assert kept >= set(acknowledged)
    assert len(kept) <= len(acknowledged) + SENDERS  # what was on its way, at most
    assert numbers == list(range(first, first + len(numbers)))
    assert len(numbers) == len(kept) + 1
