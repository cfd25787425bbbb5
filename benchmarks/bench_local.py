"""What a developer waits for: imports, the start of the deployed chain, a fork of it, the lying node."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from tempfile import TemporaryDirectory

from benchmarks.row import Row, lower_is_better
from onchain_exec.app.sandbox import Sandbox
from onchain_exec.chain import LocalChain
from onchain_exec.chain.wire import encode_request
from onchain_exec.oms import Journal
from onchain_exec.testing.lying_node import LyingNode

ROUNDS = 9
CALLS = 300


def run() -> list[Row]:
    """Return the rows; medians. The deployed chain is in the cache by the time that is measured."""
    with Sandbox.start() as sandbox:
        fork_ms = _median_ms(lambda: sandbox.fork().close())
        added_ms = statistics.median(_added_ms(sandbox.chain) for _ in range(ROUNDS))
    return [
        lower_is_better(
            "start and import", _run_ms("import onchain_exec"), "ms", "python alone", _run_ms("pass")
        ),
        *_measure_commands(),
        Row("start of the deployed chain", _median_ms(lambda: Sandbox.start().close()), "ms"),
        Row("fork of the deployed chain", fork_ms, "ms"),
        Row("lying node, added per call", added_ms, "ms"),
    ]


def _median_ms(work: Callable[[], object]) -> float:
    return statistics.median(_once_ms(work) for _ in range(ROUNDS))


def _once_ms(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000


def _run_ms(program: str) -> float:
    command = [sys.executable, "-c", program]
    return _median_ms(lambda: subprocess.run(command, check=True))


def _measure_commands() -> list[Row]:
    """What a user waits for at each command: one that needs nothing, and one that reads a journal."""
    import_ms = _run_ms("import web3")
    with TemporaryDirectory() as folder:
        orders = ("orders", "--journal", f"{folder}/journal.sqlite")
        Journal.open(orders[-1]).close()
        orders_ms = _median_ms(lambda: _run_command(*orders))
    return [
        lower_is_better(name, value, "ms", "import web3", import_ms)
        for name, value in (
            ("cli start", _median_ms(lambda: _run_command("--help"))),
            ("cli orders", orders_ms),
        )
    ]


def _run_command(*arguments: str) -> None:
    command = [sys.executable, "-m", "onchain_exec.cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _added_ms(chain: LocalChain) -> float:
    """Return what a lying node that tells the truth adds to a call."""
    with LyingNode.start(chain.url) as node:
        return _call_ms(node.url) - _call_ms(chain.url)


def _call_ms(url: str) -> float:
    """Return the median time of a call on one connection."""
    body = encode_request(1, ("eth_blockNumber", ()))
    with closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)) as connection:

        def call() -> None:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            connection.getresponse().read()

        return statistics.median(_once_ms(call) for _ in range(CALLS))
