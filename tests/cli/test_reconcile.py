"""``reconcile --watch``: it stays as long as the journal is the chain's whole story, and ends when told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from oms.builders import make_order, make_quote

from onchain_exec.execution.plan import Purpose
from onchain_exec.oms import Journal


@pytest.fixture
def journal(fork, tmp_path: Path) -> Path:
    """A journal that knows the trader's account: an order holds its next nonce."""
    chain_id, trader, tokens = fork.chain.chain_id, fork.trader.address, fork.deployment.tokens
    order = make_order(1, account=trader, recipient=trader, token_in=tokens["WETH"], token_out=tokens["USDC"])
    with Journal.open(tmp_path / "journal.sqlite") as journal:
        journal.append_order(order, make_quote(order))
        nonce = int(fork.chain.request("eth_getTransactionCount", trader, "latest"), 16)
        journal.reserve_nonce(chain_id, trader, order.order_id, Purpose.SWAP, nonce)
    return tmp_path / "journal.sqlite"


@contextmanager
def watch(url: str, journal: Path) -> Iterator[subprocess.Popen[str]]:
    command = (
        *(sys.executable, "-m", "onchain_exec.cli", "reconcile", "--watch", "--json"),
        *("--rpc", url, "--journal", str(journal)),
    )
    with subprocess.Popen(command, cwd=journal.parent, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def read_document(stdout: IO[str]) -> dict[str, Any]:
    """Return the next JSON document, when it is there."""
    lines = []
    for line in stdout:
        lines.append(line)
        if line == "}\n":
            return json.loads("".join(lines))
    raise AssertionError("it ended without a word: " + "".join(lines))


def test_watch_foreign_use_of_the_key_is_noticed_within_its_block_and_ends_with_4(fork, journal):
    with watch(fork.url, journal) as process:
        assert read_document(process.stdout)["breaks"] == []
        trader = fork.trader.address
        fork.chain.request("eth_sendTransaction", {"from": trader, "to": trader, "value": "0x0"})
        fork.chain.settle()
        used_in = int(fork.chain.request("eth_blockNumber"), 16)
        noticed = read_document(process.stdout)
        assert noticed["block"]["number"] == used_in
        assert "FOREIGN_NONCE" in {found["code"] for found in noticed["breaks"]}
        assert process.wait(120) == 4


def test_watch_ends_with_0_on_sigterm(fork, journal):
    with watch(fork.url, journal) as process:
        assert read_document(process.stdout)["breaks"] == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
