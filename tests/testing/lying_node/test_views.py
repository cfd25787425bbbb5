"""A lagging head is exactly the node as it was; receipts and logs come late, wrong or not."""

from __future__ import annotations

from typing import Any

import pytest

from lying_node.raw_client import ask, sign
from onchain_exec.chain import LocalChain
from onchain_exec.core import to_address
from onchain_exec.testing.lying_node import (
    DroppedLogs,
    FrozenFinality,
    LateReceipts,
    LyingNode,
    OrphanedReceipts,
    StaleHead,
)

LOGGER = "0x" + "10" * 20
LOG_ONE = bytes.fromhex("60075f5fa1")  # log1(0, 0, 7)


@pytest.fixture
def busy(chain: LocalChain) -> LocalChain:
    """A chain with a contract that logs, and three blocks."""
    chain.set_code(to_address(LOGGER), LOG_ONE)
    for nonce in range(3):
        chain.request("eth_sendRawTransactionSync", call_logger(chain, nonce)[0])
    return chain


def call_logger(chain: LocalChain, nonce: int) -> tuple[str, str]:
    return sign(chain, nonce=nonce, to=LOGGER, value=0, gas=60_000)


def make_questions(chain: LocalChain) -> list[tuple[str, list[Any]]]:
    account = chain.accounts[0].address
    transfer = {"from": account, "to": chain.accounts[9].address, "value": "0x1"}
    tx_hash = call_logger(chain, 2)[1]
    questions: list[tuple[str, list[Any]]] = [
        ("eth_blockNumber", []),
        ("eth_getBlockByNumber", ["latest", False]),
        ("eth_getBlockByNumber", ["0x1", True]),
        ("eth_getBlockByNumber", ["0x63", True]),
        ("eth_getBlockByNumber", ["earliest", False]),
        ("eth_getBalance", [account, "latest"]),
        ("eth_getBalance", [account, "pending"]),
        ("eth_getTransactionCount", [account, "latest"]),
        ("eth_getTransactionCount", [account, {"blockNumber": "0x2"}]),
        ("eth_getCode", [LOGGER, "latest"]),
        ("eth_getStorageAt", [LOGGER, "0x0", "latest"]),
        ("eth_call", [transfer, "latest"]),
        ("eth_call", [transfer]),
        (
            "eth_call",
            [transfer, {"blockHash": chain.request("eth_getBlockByNumber", "latest", False)["hash"]}],
        ),
        ("eth_getLogs", [{"fromBlock": "0x0", "address": LOGGER}]),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "latest"}]),
        ("eth_getLogs", [{"fromBlock": "latest"}]),
        ("eth_getLogs", [{"fromBlock": "0x1", "toBlock": "0x63"}]),
        ("eth_getTransactionReceipt", [tx_hash]),
        ("eth_getTransactionByHash", [tx_hash]),
        ("eth_feeHistory", ["0x2", "latest", [50]]),
    ]
    return questions


def is_same(then: Any, now: Any) -> bool:
    """Compare two messages; refusals by their being one, since wordings differ."""
    return then == now or ("error" in then and "error" in now)


@pytest.mark.parametrize("lag", [1, 2, 7])
def test_stale_head_answers_as_the_node_did_that_many_blocks_ago(
    busy: LocalChain, node: LyingNode, lag: int
) -> None:
    """Catalogue 30."""
    questions = make_questions(busy)
    before = [ask(node.port, method, *params).message for method, params in questions]
    for nonce in range(3, 3 + lag):
        busy.request("eth_sendRawTransactionSync", call_logger(busy, nonce)[0])
    node.lie(StaleHead(lag))
    for (method, params), then in zip(questions, before, strict=True):
        now = ask(node.port, method, *params).message
        assert is_same(then, now), (method, params)
    node.clear()
    assert ask(node.port, "eth_blockNumber").result == hex(3 + lag)


def test_stale_head_hides_what_lies_above_by_hash_and_number(busy: LocalChain, node: LyingNode) -> None:
    head = busy.request("eth_getBlockByNumber", "latest", False)
    tx_hash = head["transactions"][0]
    node.lie(StaleHead(1))
    assert ask(node.port, "eth_getBlockByHash", head["hash"], False).result is None
    assert ask(node.port, "eth_getBlockByNumber", head["number"], False).result is None
    assert ask(node.port, "eth_getTransactionReceipt", tx_hash).result is None
    assert ask(node.port, "eth_getTransactionByHash", tx_hash).result["blockHash"] is None
    assert ask(node.port, "eth_getLogs", {"fromBlock": head["number"]}).result == []
    for pin in ({"blockHash": head["hash"]}, head["number"]):
        refused = ask(node.port, "eth_getBalance", LOGGER, pin)
        assert refused.error == (-32000, "header not found")
    refused = ask(node.port, "eth_getLogs", {"blockHash": head["hash"]})
    assert refused.error == (-32000, "header not found")


def test_stale_head_beyond_genesis_is_genesis(busy: LocalChain, node: LyingNode) -> None:
    node.lie(StaleHead(64))
    assert ask(node.port, "eth_blockNumber").result == "0x0"
    assert ask(node.port, "eth_getTransactionCount", busy.accounts[0].address, "latest").result == "0x0"


def test_late_receipts_come_when_their_block_is_deep_enough(busy: LocalChain, node: LyingNode) -> None:
    """Catalogue 28, 31."""
    tx_hash = call_logger(busy, 2)[1]
    node.lie(LateReceipts(2))
    for depth in range(4):
        shown = ask(node.port, "eth_getTransactionReceipt", tx_hash).result
        assert (shown is not None) is (depth >= 2)
        busy.mine()
    assert ask(node.port, "eth_getTransactionReceipt", "0x" + "00" * 32).result is None


def test_orphaned_receipts_name_a_block_that_is_not_there(busy: LocalChain, node: LyingNode) -> None:
    """Catalogue 52."""
    tx_hash = call_logger(busy, 2)[1]
    node.lie(OrphanedReceipts())
    receipt = ask(node.port, "eth_getTransactionReceipt", tx_hash).result
    true = busy.request("eth_getTransactionReceipt", tx_hash)
    assert receipt["transactionHash"] == tx_hash
    assert receipt["blockHash"] != true["blockHash"]
    assert receipt["logs"][0]["blockHash"] == receipt["blockHash"]
    assert ask(node.port, "eth_getBlockByHash", receipt["blockHash"], False).result is None


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_dropped_logs_leaves_the_first_ones(busy: LocalChain, node: LyingNode, kept: int) -> None:
    """Catalogue 32."""
    logs = busy.request("eth_getLogs", {"fromBlock": "0x0"})
    node.lie(DroppedLogs(kept))
    assert ask(node.port, "eth_getLogs", {"fromBlock": "0x0"}).result == logs[:kept]
    receipt = ask(node.port, "eth_getTransactionReceipt", call_logger(busy, 0)[1]).result
    assert len(receipt["logs"]) == min(kept, 1)


def test_frozen_finality_stands_still_while_the_head_goes_on() -> None:
    """Catalogue 55."""
    with LocalChain.start(extra=("--slots-in-an-epoch", "1")) as chain, LyingNode.start(chain.url) as node:
        chain.mine(9)
        node.lie(FrozenFinality(4))
        for head in (9, 10):
            for tag in ("safe", "finalized"):
                assert ask(node.port, "eth_getBlockByNumber", tag, False).result["number"] == "0x4"
                assert ask(node.port, "eth_getTransactionCount", LOGGER, tag).result == "0x0"
            assert ask(node.port, "eth_getBlockByNumber", "latest", False).result["number"] == hex(head)
            chain.mine()
        node.clear()
        assert ask(node.port, "eth_getBlockByNumber", "finalized", False).result["number"] == "0x9"
