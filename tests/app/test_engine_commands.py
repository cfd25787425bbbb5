"""The engine's commands: what stops it holds for every process of the journal, and it ends in order."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing

import pytest
from cli_runner import Cli
from oms.builders import CHAIN_ID, make_order, make_quote, make_signed

from onchain_exec.errors import GasError
from onchain_exec.execution import Purpose
from onchain_exec.oms import Journal, OrderState

TOKEN = "0123456789abcdef"


@pytest.fixture
def cli(tmp_path):
    Journal.open(tmp_path / "journal.sqlite").close()
    return Cli("http://127.0.0.1:9", tmp_path / "journal.sqlite")


@pytest.mark.parametrize(
    ("command", "state"), [("pause", "PAUSED"), ("kill", "KILLED")], ids=["pause", "kill"]
)
def test_switch_commands_are_kept_until_resume(cli, command, state):
    stopped = json.loads(cli.run(command, "--reason", "a drill", "--json").stdout)["switches"]
    assert [(item["scope"], item["state"], item["reason"]) for item in stopped] == [("all", state, "a drill")]
    resumed = json.loads(cli.run("resume", "--json").stdout)["switches"]
    assert [item["state"] for item in resumed] == ["RUNNING"]


def test_pause_scope_that_is_none_is_refused(cli):
    assert cli.run("pause", "--scope", "everybody").returncode == 2
    assert cli.run("pause", "--scope", "account:0x12").returncode == 2
    assert cli.run("pause", "--scope", "venue:uniswap_v3").returncode == 0


def test_cancel_order_that_is_not_signed_is_cancelled_at_once(cli):
    order = make_order(1)
    with Journal.open(cli.journal) as journal:
        journal.append_order(order, make_quote(order))
    assert json.loads(cli.run("cancel", "client-1", "--json").stdout)["state"] == "CANCELLED"
    with Journal.open(cli.journal) as journal:
        assert journal.read_order("order-1").state is OrderState.CANCELLED
    assert cli.run("cancel", "client-1").returncode == 0
    assert cli.run("cancel", "nobody").returncode == 2


def test_cancel_order_ends_with_5_while_it_may_fill_and_with_4_once_it_ended_otherwise(cli):
    waiting, ended = make_order(1), make_order(2)
    with Journal.open(cli.journal) as journal:
        journal.append_order(waiting, make_quote(waiting))
        nonce = journal.reserve_nonce(CHAIN_ID, waiting.account, waiting.order_id, Purpose.SWAP, 0)
        journal.write_signed(waiting.order_id, make_signed(waiting, nonce))
        journal.append_failure(ended.order_id, GasError("none left"))
    asked = cli.run("cancel", "client-1")
    assert (asked.returncode, "CANCEL_PENDING" in asked.stderr) == (5, True)
    assert "--client-order-id" in asked.stderr, "what carries it out is told"
    assert cli.run("cancel", "order-2").returncode == 4


def test_verify_reads_every_line_and_finds_the_one_that_was_changed(cli):
    with Journal.open(cli.journal, checkpoint_lines=1) as journal:
        journal.append_order(make_order(1), make_quote(make_order(1)))
    assert json.loads(cli.run("verify", "--json").stdout) == {"lines": 1}
    with closing(sqlite3.connect(cli.journal)) as connection:
        connection.execute("update events set recorded_at = recorded_at + 1")
        connection.commit()
    found = cli.run("verify")
    assert (found.returncode, "was changed or moved" in found.stderr) == (4, True)


def test_serve_without_a_good_token_does_not_start(cli):
    assert "ONCHAIN_EXEC_API_TOKEN" in cli.run("serve").stderr
    assert cli.run("serve", ONCHAIN_EXEC_API_TOKEN="short").returncode == 2


def test_serve_answers_the_token_and_ends_in_order_on_sigterm(fork, tmp_path):
    command = [sys.executable, "-m", "onchain_exec.cli", "serve", "--rpc", fork.url, "--port", "0"]
    given = {"ONCHAIN_EXEC_API_TOKEN": TOKEN, "ONCHAIN_EXEC_PRIVATE_KEY": fork.trader.key}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=os.environ | given, stderr=subprocess.PIPE, text=True
    )
    try:
        url = next(filter(None, map(find_url, process.stderr)))
        assert ask(url, "Bearer " + TOKEN) == {"switches": []}
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(url, "Bearer nobody")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def find_url(line):
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    return found[0] if found else None


def ask(url, authorization):
    request = urllib.request.Request(f"{url}/switches", headers={"Authorization": authorization})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)
