"""The transcript holds everything, and the same seed gives the same one."""

from __future__ import annotations

import http.client
import json
from contextlib import suppress
from pathlib import Path

from lying_node.raw_client import ask, encode, post, sign, wait_for_reached
from onchain_exec.chain import LocalChain
from onchain_exec.testing.lying_node import (
    Call,
    Cut,
    Duplicate,
    Entry,
    Hang,
    HttpFailure,
    LyingNode,
    Refusal,
    Refuse,
    ResetAfter,
    Result,
    ServerError,
    TooManyRequests,
    Truncated,
)


def converse(chain: LocalChain, seed: int) -> list[Entry]:
    """Ask 120 questions of a node that fails at random, and return what it wrote down."""
    with LyingNode.start(chain.url, seed=seed) as node:
        for fault in (ServerError(), Truncated(), ResetAfter(), Duplicate(3), TooManyRequests(1)):
            node.lie(fault, "eth_*", probability=0.15)
        for number in range(40):
            with suppress(OSError, http.client.HTTPException):
                ask(node.port, "eth_getBlockByNumber", "0x0", False)
            with suppress(OSError, http.client.HTTPException):
                post(node.port, [encode("eth_chainId"), encode("eth_getBalance", f"0x{number:040x}", "0x0")])
        return list(node.transcript)


def test_transcript_of_the_same_seed_is_the_same(chain: LocalChain) -> None:
    first, again, other = (converse(chain, seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other
    assert {type(entry.answer) for entry in first} == {Result, Cut, HttpFailure}
    assert sum(bool(entry.faults) for entry in first) > 20


def test_transcript_tells_what_was_asked_done_reached_and_answered(
    chain: LocalChain, node: LyingNode, tmp_path: Path
) -> None:
    raw, tx_hash = sign(chain)
    node.lie(Refuse(Refusal(-1, "no")), "eth_chainId")
    ask(node.port, "eth_sendRawTransaction", raw)
    ask(node.port, "eth_chainId")
    call = Call("eth_sendRawTransaction", [raw])
    sent, refused = node.transcript
    assert sent == Entry(call, (), (call,), Result(tx_hash))
    assert refused == Entry(Call("eth_chainId", []), (Refuse(Refusal(-1, "no")),), (), Refusal(-1, "no"))
    assert sent.took_s > 0
    node.transcript.write(tmp_path / "transcript.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "transcript.jsonl").read_text().splitlines()]
    assert [line["method"] for line in lines] == ["eth_sendRawTransaction", "eth_chainId"]
    assert lines[0]["reached"] == [{"method": call.method, "params": [raw]}]
    assert lines[1]["faults"] == [
        {"kind": "Refuse", "forward": False, "refusal": {"code": -1, "message": "no", "data": None}}
    ]
    assert lines[1]["answer"] == {"kind": "Refusal", "code": -1, "message": "no", "data": None}


def test_transcript_shows_a_call_that_still_waits(node: LyingNode) -> None:
    node.lie(Hang(forward=True), "eth_chainId")
    with suppress(TimeoutError):
        ask(node.port, "eth_chainId", timeout_s=0.2)
    wait_for_reached(node, "eth_chainId")
    (waiting,) = node.transcript.of("eth_chain*")
    assert (waiting.answer, len(waiting.reached)) == (None, 1)
    node.transcript.clear()
    assert len(node.transcript) == 0
