"""Each fault does on the wire what it says, and the node got what it says that the node gets."""

from __future__ import annotations

import http.client
import time
from typing import Any

import pytest

from lying_node.raw_client import ask, encode, post, sign, wait_for_reached
from onchain_exec.chain import LocalChain
from onchain_exec.testing.lying_node import (
    RATE_LIMITS,
    WORDS,
    AnswerWith,
    Client,
    Dialect,
    Duplicate,
    Hang,
    Latency,
    LyingNode,
    NeverBroadcast,
    Reason,
    Refusal,
    Refuse,
    ResetAfter,
    ResetBefore,
    ServerError,
    TooManyRequests,
    Truncated,
    WrongChainId,
)

SEND = "eth_sendRawTransaction"


def is_known(chain: LocalChain, tx_hash: str) -> bool:
    return chain.request("eth_getTransactionByHash", tx_hash) is not None


@pytest.mark.parametrize(
    ("method", "params"),
    [("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", True)), ("eth_no_such", ()), ("eth_call", ({},))],
)
def test_node_without_rules_answers_as_the_node_behind_it(
    chain: LocalChain, node: LyingNode, method: str, params: tuple[Any, ...]
) -> None:
    direct = int(chain.url.rsplit(":", 1)[1])
    assert ask(node.port, method, *params).message == ask(direct, method, *params).message


def test_node_answers_a_batch_in_its_order_with_its_ids(chain: LocalChain, node: LyingNode) -> None:
    batch = [
        encode("eth_chainId", request_id="a"),
        encode("eth_no_such", request_id=7),
        encode("eth_blockNumber"),
    ]
    first, second, third = post(node.port, batch).message
    assert (first["id"], first["result"]) == ("a", "0x539")
    assert (second["id"], second["error"]["code"]) == (7, -32601)
    assert (third["id"], third["result"]) == (1, "0x0")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"7", b'{"id": 1}'])
def test_node_refuses_what_is_no_request(node: LyingNode, body: bytes) -> None:
    assert post(node.port, body).error == (-32600, "Invalid Request")


def test_latency_delays_the_call(node: LyingNode) -> None:
    node.lie(Latency(0.2), "eth_chainId")
    started = time.perf_counter()
    assert ask(node.port, "eth_chainId").result == "0x539"
    assert time.perf_counter() - started >= 0.2


def test_too_many_requests_is_429_with_retry_after(chain: LocalChain, node: LyingNode) -> None:
    """Catalogue 34."""
    raw, tx_hash = sign(chain)
    node.lie(TooManyRequests(retry_after_s=3), SEND, times=1)
    refused = ask(node.port, SEND, raw)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "3")
    assert not is_known(chain, tx_hash)
    assert ask(node.port, SEND, raw).result == tx_hash


@pytest.mark.parametrize("provider", RATE_LIMITS)
def test_rate_limit_comes_inside_200(node: LyingNode, provider: str) -> None:
    """Catalogue 34."""
    node.lie(Refuse(RATE_LIMITS[provider]), "eth_*")
    reply = ask(node.port, "eth_chainId")
    assert (reply.status, reply.error) == (200, (RATE_LIMITS[provider].code, RATE_LIMITS[provider].message))


@pytest.mark.parametrize("forward", [False, True])
def test_server_error_is_a_page(chain: LocalChain, node: LyingNode, forward: bool) -> None:
    raw, tx_hash = sign(chain)
    node.lie(ServerError(502, forward=forward), SEND)
    reply = ask(node.port, SEND, raw)
    assert (reply.status, reply.body[:6]) == (502, b"<html>")
    assert is_known(chain, tx_hash) is forward


@pytest.mark.parametrize("forward", [False, True])
def test_hang_gives_no_answer(chain: LocalChain, node: LyingNode, forward: bool) -> None:
    """Catalogue 18: silence, whether the node took it or not."""
    raw, tx_hash = sign(chain)
    node.lie(Hang(forward=forward), SEND)
    with pytest.raises(TimeoutError):
        ask(node.port, SEND, raw, timeout_s=0.2)
    if forward:
        wait_for_reached(node, SEND)
    assert is_known(chain, tx_hash) is forward
    assert ask(node.port, "eth_chainId").result == "0x539", "other calls go on"


def test_hang_ends_in_a_reset(node: LyingNode) -> None:
    node.lie(Hang(seconds=0.05))
    with pytest.raises(ConnectionResetError):
        ask(node.port, "eth_chainId")


def test_truncated_ends_in_the_middle_of_the_body(chain: LocalChain, node: LyingNode) -> None:
    raw, tx_hash = sign(chain)
    node.lie(Truncated(), SEND)
    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(node.port, SEND, raw)
    assert cut.value.partial.startswith(b'{"jsonrpc"')
    assert is_known(chain, tx_hash)


@pytest.mark.parametrize(("fault", "reached"), [(ResetBefore(), False), (ResetAfter(), True)])
def test_reset_looks_the_same_whether_the_node_got_it_or_not(
    chain: LocalChain, node: LyingNode, fault: ResetBefore | ResetAfter, reached: bool
) -> None:
    """Catalogue 18, 22: the very same error."""
    raw, tx_hash = sign(chain)
    node.lie(fault, SEND)
    with pytest.raises(ConnectionResetError):
        ask(node.port, SEND, raw)
    assert is_known(chain, tx_hash) is reached


def test_duplicate_delivers_twice(chain: LocalChain, node: LyingNode) -> None:
    """Catalogue 19."""
    chain.request("evm_setAutomine", False)
    raw, tx_hash = sign(chain)
    with node.lying(Duplicate(), SEND):
        assert ask(node.port, SEND, raw).error == (-32003, "transaction already imported")
    raw, tx_hash = sign(chain, nonce=1)
    with node.lying(Duplicate(copies=3, answer="first"), SEND):
        assert ask(node.port, SEND, raw).result == tx_hash
    assert [len(entry.reached) for entry in node.transcript] == [2, 3]
    chain.request("evm_setAutomine", True)


def test_never_broadcast_acknowledges_with_the_right_hash(chain: LocalChain, node: LyingNode) -> None:
    """Catalogue 24."""
    raw, tx_hash = sign(chain)
    node.lie(NeverBroadcast())
    assert ask(node.port, SEND, raw).result == tx_hash
    assert ask(node.port, "eth_getTransactionByHash", tx_hash).result is None


def test_answer_with_replaces_the_answer(node: LyingNode) -> None:
    """Catalogue 4: a view of nonces that is durably 0."""
    node.lie(AnswerWith("0x0"), "eth_getTransactionCount")
    assert ask(node.port, "eth_getTransactionCount", "0x" + "11" * 20, "latest").result == "0x0"
    assert node.transcript.of("eth_getTransactionCount")[0].reached == ()


@pytest.mark.parametrize("forward", [False, True])
def test_refuse_may_lie_about_what_it_took(chain: LocalChain, node: LyingNode, forward: bool) -> None:
    """Catalogue 40: "underpriced" of what it took."""
    raw, tx_hash = sign(chain)
    node.lie(Refuse(WORDS[Client.GETH][Reason.REPLACEMENT_UNDERPRICED], forward=forward), SEND)
    assert ask(node.port, SEND, raw).error == (-32000, "replacement transaction underpriced")
    assert is_known(chain, tx_hash) is forward


def test_wrong_chain_id_is_told_by_both_methods(node: LyingNode) -> None:
    """Catalogue 38."""
    node.lie(WrongChainId(5))
    assert ask(node.port, "eth_chainId").result == "0x5"
    assert ask(node.port, "net_version").result == "5"
    assert ask(node.port, "eth_blockNumber").result == "0x0"


@pytest.mark.parametrize("client", Client)
def test_dialect_translates_real_refusals(chain: LocalChain, node: LyingNode, client: Client) -> None:
    """Catalogue 39."""
    node.lie(Dialect(client))
    raw, _ = sign(chain)
    ask(node.port, SEND, raw)
    chain.mine()  # the node answers before it mines
    refusals = {
        Reason.NONCE_TOO_LOW: sign(chain, value=2),
        Reason.INSUFFICIENT_FUNDS: sign(chain, nonce=1, value=10**30),
        Reason.INTRINSIC_GAS: sign(chain, nonce=1, gas=20_000),
        Reason.UNDERPRICED: sign(chain, nonce=1, maxFeePerGas=1, maxPriorityFeePerGas=1),
        Reason.BLOCK_GAS_LIMIT: sign(chain, nonce=1, gas=10**9, maxFeePerGas=10**9),
    }
    for reason, (refused, _) in refusals.items():
        told = ask(node.port, SEND, refused).error
        words = WORDS[client].get(reason)
        if words is not None:
            assert told == (words.code, words.message)


def test_faults_on_one_call_nest_in_the_order_of_their_rules(node: LyingNode) -> None:
    node.lie(Latency(0.1), "eth_chainId")
    node.lie(Refuse(Refusal(-1, "no")), "eth_chainId")
    started = time.perf_counter()
    assert ask(node.port, "eth_chainId").error == (-1, "no")
    assert time.perf_counter() - started >= 0.1


def test_fault_that_cuts_a_batch_keeps_back_what_follows(chain: LocalChain, node: LyingNode) -> None:
    (before, before_hash), (after, after_hash) = sign(chain), sign(chain, nonce=1)
    node.lie(ResetBefore(), "eth_chainId")
    with pytest.raises(ConnectionResetError):
        post(node.port, [encode(SEND, before), encode("eth_chainId"), encode(SEND, after)])
    assert is_known(chain, before_hash)
    assert not is_known(chain, after_hash)


def test_node_whose_upstream_is_gone_answers_502() -> None:
    with LyingNode.start("http://127.0.0.1:1") as orphan:
        reply = ask(orphan.port, "eth_chainId")
    assert reply.status == 502
    assert b"no answer" in reply.body


def test_close_drops_hanging_calls(chain: LocalChain) -> None:
    with LyingNode.start(chain.url) as node:
        node.lie(Hang(seconds=1_000_000, forward=True))
        with pytest.raises(TimeoutError):
            ask(node.port, "eth_chainId", timeout_s=0.1)
        wait_for_reached(node, "eth_chainId")
    node.close()
    with pytest.raises(ConnectionRefusedError):
        ask(node.port, "eth_chainId")


def test_start_on_a_taken_port_raises(chain: LocalChain, node: LyingNode) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        LyingNode.start(chain.url, port=node.port)
