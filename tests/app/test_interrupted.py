"""Ctrl-C in the middle of a trade: its exit code, a journal that is closed in order, and no second trade."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import IO, TypeAlias

import pytest
from chain_facts import balance_of, nonce_of
from cli_runner import Cli

from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.testing.lying_node import Fault, LyingNode
from onchain_exec.testing.lying_node.exchange import Answer, Ask, Call, Cut

Running: TypeAlias = "subprocess.Popen[str]"
DEMO = Path(__file__).with_name("interrupted_demo.py")
SWAP = ("swap", "--sell", "WETH", "--buy", "USDC", "--amount", "1", "--client-order-id", "the-order")
SEND, LOOK = "eth_sendRawTransaction", "eth_getTransactionReceipt"
WARNED = "`onchain-exec reconcile` tells what became of what was signed"


class InterruptMeanwhile(Fault):
    """Ctrl-C reaches the program that asks before the node's answer does; with ``forward`` the node has done
    what was asked."""

    def __init__(self, *, forward: bool) -> None:
        self.program: Future[Running] = Future()
        self.forward = forward

    async def apply(self, call: Call, ask: Ask) -> Answer:
        if self.forward:
            await ask(call)
        program = await asyncio.wrap_future(self.program)
        program.send_signal(signal.SIGINT)
        await asyncio.to_thread(program.wait, 60)
        return Cut()


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Whoever runs this may ignore Ctrl-C, and what is started would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def lying(fork: Sandbox) -> Iterator[LyingNode]:
    with LyingNode.start(fork.url) as node:
        yield node


def start(command: list[str], folder: Path, **environment: str) -> Running:
    """Start a program that works, also with temporary files, in ``folder``."""
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder), "COLUMNS": "200"} | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_swap(cli: Cli, trader_key: str, *options: str, url: str = "") -> Running:
    given = {"ONCHAIN_EXEC_RPC_URL": url or cli.rpc_url, "ONCHAIN_EXEC_JOURNAL": str(cli.journal)}
    command = ["-m", "onchain_exec.cli", *SWAP, *options]
    return start(command, cli.journal.parent, ONCHAIN_EXEC_PRIVATE_KEY=trader_key, **given)


def read_until(stream: IO[str], text: str) -> None:
    said = ""
    while not said.endswith(text):
        letter = stream.read(1)
        assert letter, f"it ended before {text!r}: {said}"
        said += letter


def require_closed(cli: Cli) -> None:
    """SQLite removes the files beside a journal's own when that is closed; a killed process leaves them."""
    assert [path.name for path in cli.journal.parent.iterdir()] == [cli.journal.name]
    assert cli.run("verify").returncode == 0


def test_swap_interrupted_while_it_asks_has_done_nothing(fork: Sandbox, cli: Cli) -> None:
    with start_swap(cli, fork.trader.key) as asking:
        assert asking.stdout
        read_until(asking.stdout, "Send it? [y/N]: ")
        while asking.poll() is None:  # one that comes before the answer is read is heard after it
            time.sleep(0.2)
            asking.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                asking.wait(10)
    assert asking.returncode == 130
    require_closed(cli)
    assert cli.json("orders")["orders"] == []
    assert nonce_of(fork, fork.trader.address) == 0


@pytest.mark.parametrize(
    ("method", "nth", "forward"),
    [
        pytest.param(SEND, 1, False, id="approval never arrives"),
        pytest.param(SEND, 2, True, id="swap arrives"),
        pytest.param(LOOK, 1, True, id="approval waits"),
    ],
)
def test_swap_interrupted_on_its_way_is_continued_by_its_client_order_id(
    method: str, nth: int, forward: bool, fork: Sandbox, lying: LyingNode, cli: Cli
) -> None:
    weth, trader = fork.deployment.tokens["WETH"], fork.trader
    before, interrupt = balance_of(fork, weth, trader.address), InterruptMeanwhile(forward=forward)
    lying.lie(interrupt, method, nth=nth)
    fork.chain.request("evm_setAutomine", method == SEND)
    with start_swap(cli, trader.key, "--yes", url=lying.url) as swapping:
        interrupt.program.set_result(swapping)
        _, said = swapping.communicate(timeout=60)
    assert (swapping.returncode, WARNED in said) == (130, True)
    require_closed(cli)
    (order,) = cli.json("orders")["orders"]
    assert order["state"] in {"NEW", "WORKING"}

    fork.chain.request("evm_setAutomine", True)
    again = cli.json(*SWAP, "--yes", ONCHAIN_EXEC_PRIVATE_KEY=trader.key)
    assert (again["id"], again["state"]) == (order["id"], "FILLED")
    assert nonce_of(fork, trader.address) == 2, "one approval, one swap"
    assert before - balance_of(fork, weth, trader.address) == 10**18


@pytest.mark.parametrize("step", ["CHAIN", "SENT"])
def test_demo_interrupted_ends_its_chain_and_leaves_no_file(step: str, tmp_path: Path) -> None:
    with start([str(DEMO), "demo", step], tmp_path) as demo:
        assert demo.stdout
        chain = int(demo.stdout.readline())
        assert WARNED in demo.communicate(timeout=60)[1]
    assert demo.returncode == 130
    deadline = time.monotonic() + 60
    while runs(chain):
        assert time.monotonic() < deadline, f"anvil {chain} still runs"
        time.sleep(0.01)
    assert list(tmp_path.iterdir()) == []


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
