"""What every command keeps to, whatever it is given: exit codes, one document, no journal made by looking."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_runner import Cli

from onchain_exec.cli.asking import confirm
from onchain_exec.oms import Journal

SWAP = ("swap", "--sell", "WETH", "--amount", "1", "--buy", "USDC")
NODE_DOWN = "http://127.0.0.1:9"


@pytest.fixture
def offline(tmp_path: Path) -> Cli:
    """The command line without a node, and with a journal that is not made yet."""
    return Cli(NODE_DOWN, tmp_path / "journal.sqlite")


@pytest.mark.parametrize(
    "arguments",
    [
        ("quot",),
        ("swap",),
        (*SWAP, "--max-slippage-bps", "0.3"),
        (*SWAP, "--nonsense"),
        ("price", "WETH"),
        ("pools", "find", "--sell", "WETH"),
        ("chain", "--port", "65536"),
    ],
    ids=" ".join,
)
def test_command_line_that_cannot_be_read_is_one_document_and_2(
    offline: Cli, arguments: tuple[str, ...]
) -> None:
    error = offline.json(*arguments, expect=2)["error"]
    assert error["code"] == "InputError"
    assert error["found"]
    assert "Usage" in offline.run(*arguments).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        *(("orders",), ("show", "x"), ("channels",), ("verify",), ("reconcile",)),
        *(("pause",), ("resume",), ("kill",), ("cancel", "x")),
    ],
    ids=lambda arguments: arguments[0],
)
def test_command_about_a_journal_that_is_not_there_says_so_and_makes_none(
    offline: Cli, arguments: tuple[str, ...]
) -> None:
    """A kill that reports success in an empty journal beside the engine's would stop nothing."""
    error = offline.json(*arguments, expect=2)["error"]
    assert error["code"] == "ConfigError"
    assert str(offline.journal) in error["found"]
    assert not offline.journal.exists()


def test_kill_of_a_venue_that_nothing_goes_through_is_refused(offline: Cli) -> None:
    Journal.open(offline.journal).close()
    assert "uniswap_v3" in offline.json("kill", "--scope", "venue:uniswap-v3", expect=2)["error"]["needed"]
    for venue in ("uniswap_v3", "balancer_v2", "aave_v3", "lyra", "settle", "settle_rfq", "swaps"):
        offline.json("kill", "--scope", f"venue:{venue}")


def test_commands_take_the_endpoints_of_the_configuration(offline: Cli) -> None:
    endpoints = json.dumps([{"url": NODE_DOWN}])
    for arguments in (("approvals", "--account", "0x" + "11" * 20), ("price", "WETH", "USDC")):
        error = offline.json(*arguments, expect=4, ONCHAIN_EXEC_RPC_URL="", ONCHAIN_EXEC_ENDPOINTS=endpoints)[
            "error"
        ]
        assert error["code"] == "NodeUnreachableError"


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (("collateral", "--min-health", "nan"), {}),
        (("quote", *SWAP[1:]), {"ONCHAIN_EXEC_RPC_URL": "http://127.0.0.1:99999"}),
        (("quote", *SWAP[1:]), {"ONCHAIN_EXEC_MAX_IMPAKT_BPS": "1"}),
    ],
)
def test_command_of_a_value_that_is_none_is_bad_input(
    offline: Cli, arguments: tuple[str, ...], environment: dict[str, str]
) -> None:
    assert offline.json(*arguments, expect=2, **environment)["error"]["found"]


def test_doctor_of_a_bad_url_is_a_finding_among_the_others(offline: Cli) -> None:
    found = offline.json("doctor", expect=4, ONCHAIN_EXEC_RPC_URL="nonsense")["findings"]
    assert {finding["what"]: finding["status"] for finding in found}["node"] == "failed"


def test_confirm_hears_an_interrupt_while_it_asks_within_an_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt_then_answer(_: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        return "y"

    async def ask() -> None:
        confirm("Send it?")
        pytest.fail("it was taken for an answer")

    monkeypatch.setattr("builtins.input", interrupt_then_answer)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(ask())
    assert signal.getsignal(signal.SIGINT) is before


@contextmanager
def deaf_node() -> Iterator[str]:
    """Yield the URL of a node that never answers; whoever asks it is interrupted as by Ctrl-C."""

    def interrupt() -> None:
        with listener.accept()[0]:
            os.kill(os.getpid(), signal.SIGINT)
            done.wait(60)

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        node = threading.Thread(target=interrupt)
        node.start()
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs this may ignore it
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            signal.signal(signal.SIGINT, before)
            done.set()
            node.join()


@pytest.mark.parametrize("arguments", [("reconcile",), ("collateral",), ("price", "WETH", "USDC")])
def test_command_that_is_interrupted_says_so_and_ends_with_130(
    offline: Cli, arguments: tuple[str, ...]
) -> None:
    """As one document on stdout, or for people on stderr."""
    Journal.open(offline.journal).close()
    with deaf_node() as url:
        error = offline.json(*arguments, expect=130, ONCHAIN_EXEC_RPC_URL=url)["error"]
    assert (error["code"], error["retryable"]) == ("StoppedError", False), "what it sent may be mined"
    with deaf_node() as url:
        told = offline.run(*arguments, ONCHAIN_EXEC_RPC_URL=url)
    assert (told.returncode, told.stdout, error["todo"] in told.stderr) == (130, "", True)


@pytest.mark.parametrize("arguments", [("nonsense",), ("show",), ("orders", "--nonsense"), ()])
def test_command_line_that_cannot_be_read_says_why_and_ends_with_2(
    offline: Cli, arguments: tuple[str, ...]
) -> None:
    told = offline.run(*arguments)
    assert told.returncode == 2
    assert "Usage: onchain-exec" in told.stdout + told.stderr
    if arguments:
        assert ".." not in offline.json(*arguments, expect=2)["error"]["message"]


@pytest.mark.parametrize(("answer", "is_yes"), [("y", True), (" YES ", True), ("", False), ("yy", False)])
def test_confirm_takes_yes_alone_for_yes(monkeypatch: pytest.MonkeyPatch, answer: str, is_yes: bool) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert confirm("Send it?") is is_yes
