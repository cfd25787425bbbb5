"""A server that is killed in the midst of taking orders in: what it acknowledged is there after."""

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
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from app.signed_book.settle_chain import WETH, SettleChain

from onchain_exec.app.sandbox import Sandbox
from onchain_exec.app.sandbox.erc20 import approve
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


def post(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.load(answer))


def send_until_killed(
    url: str, bodies: list[dict[str, Any]], acknowledged: list[str], enough: threading.Event, kill_at: int
) -> None:
    """Send orders one after the other; note what was acknowledged."""
    for body in bodies:
        try:
            acknowledged.append(post(url, "/book/orders", body)["digest"])
        except (OSError, http.client.HTTPException):
            return
        if len(acknowledged) >= kill_at:
            enough.set()


def test_intake_killed_in_its_midst_keeps_what_it_acknowledged(
    fork: Sandbox, sandbox_settle: SettleChain, tmp_path: Path, rng: random.Random
) -> None:
    kill_and_compare(fork, sandbox_settle, tmp_path, rng.randrange(5, 25))


@pytest.mark.deep
@pytest.mark.parametrize("kill_at", range(1, 36))
def test_intake_killed_after_any_acknowledgement_keeps_all_before(
    fork: Sandbox, sandbox_settle: SettleChain, tmp_path: Path, kill_at: int
) -> None:
    kill_and_compare(fork, sandbox_settle, tmp_path, kill_at)


def kill_and_compare(fork: Sandbox, chain: SettleChain, folder: Path, kill_at: int) -> None:
    orders = [[chain.order(maker=sender) for _ in range(ORDERS)] for sender in range(SENDERS)]
    bodies = [
        [{"order": order_to_json(order), "signed": signed_to_json(chain.sign(order))} for order in part]
        for part in orders
    ]
    acknowledged: list[str] = []
    enough = threading.Event()
    with run_server(fork, folder) as (process, url):
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
    assert len(acknowledged) >= kill_at
    assert kept >= set(acknowledged)
    assert len(kept) <= len(acknowledged) + SENDERS  # what was on its way, at most
    assert numbers == list(range(1, len(kept) + 1))
