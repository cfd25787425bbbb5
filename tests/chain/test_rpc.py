"""The transport: each fault on the wire is one typed error that names the host, and nothing is repeated."""

import asyncio
import json
import traceback
from socket import gaierror
from typing import Any

import pytest
from fault_server import Answer, FaultServer, as_json, result

from onchain_exec.chain import EndpointLimits, EndpointPool, HttpRpc, LocalChain, Node, Rpc
from onchain_exec.chain.pool import Member
from onchain_exec.chain.rpc import name_failure
from onchain_exec.errors import (
    ConfigError,
    NodeError,
    NodeRefusedError,
    NodeUnreachableError,
    RateLimitedError,
)

HTML = b"<html>SECRET-KEY is rate limited</html>"
REFUSAL = {"code": -32000, "message": "nonce too low"}


def _wrong_id(request: Any) -> Answer:
    return as_json(result(request) | {"id": request["id"] + 1})


UNREACHABLE = {
    "HTTP 500": lambda _: Answer(b'{"jsonrpc":"2.0","id":1,"result":"0x1"}', status=500),
    "HTTP 502 of a proxy": lambda _: Answer(HTML, status=502),
    "HTTP 503": lambda _: Answer(status=503),
    "HTTP 404": lambda _: Answer(HTML, status=404),
    "a redirect": lambda _: Answer(status=307, headers={"Location": "/elsewhere"}),
    "HTML with 200": lambda _: Answer(HTML),
    "nothing": lambda _: Answer(),
    "a body cut short": lambda _: Answer(b'{"jsonrpc":"2.0","id":', cut=True),
    "JSON cut short": lambda request: Answer(json.dumps(result(request)).encode()[:-3]),
    "bytes that are no text": lambda _: Answer(b'{"result":"\xff\xfe"}'),
    "a number": lambda _: Answer(b"7"),
    "an array": lambda request: as_json([result(request)]),
    "neither result nor error": lambda request: as_json({"jsonrpc": "2.0", "id": request["id"]}),
    "another request's answer": _wrong_id,
    "silence": lambda _: Answer(hang=True),
    "a reset after the request was read": lambda _: Answer(reset=True),
}


def _get_timeout_s(fault: str) -> float:
    """Return a time that ends what waits for ever, and never cuts off what does not."""
    return 0.2 if fault == "silence" else 30.0


def _is_sent_once(sent: int, fault: str) -> bool:
    """Say whether a request left once; one that was given up may not have left at all."""
    return sent == 1 or (fault, sent) == ("silence", 0)


@pytest.mark.parametrize("fault", UNREACHABLE)
@pytest.mark.parametrize("method", ["eth_blockNumber", "eth_sendRawTransaction"])
async def test_request_when_the_wire_fails_raises_once(server: FaultServer, fault: str, method: str) -> None:
    """Catalogue 25: no outcome is invented, and nothing is repeated."""
    server.answer = UNREACHABLE[fault]
    async with HttpRpc(server.url, timeout_s=_get_timeout_s(fault)) as rpc:
        with pytest.raises(NodeUnreachableError, match=server.host):
            await rpc.request(method, ("0x02",))
    assert _is_sent_once(len(server.requests), fault)


async def test_request_when_the_connection_was_used_before_and_resets_does_not_repeat(
    server: FaultServer,
) -> None:
    async with HttpRpc(server.url) as rpc:
        await rpc.request("eth_chainId")
        server.answer = lambda _: Answer(reset=True)
        with pytest.raises(NodeUnreachableError):
            await rpc.request("eth_sendRawTransaction", ("0x02",))
    assert len(server.requests) == 2


@pytest.mark.parametrize("pooled", [False, True])
def test_transport_serves_one_event_loop_after_another(chain: LocalChain, pooled: bool) -> None:
    """Catalogue 37: a session of a loop that has ended is not used again."""
    rpc: Rpc = HttpRpc(chain.url)
    if pooled:
        limits = EndpointLimits(patience_s=20)  # the machine may be busy
        rpc = EndpointPool([Member(HttpRpc(chain.url), limits=limits) for _ in range(3)])

    async def work() -> Any:
        try:
            return await rpc.batch([("eth_chainId", ()), ("eth_blockNumber", ())])
        finally:
            await rpc.close()

    assert [asyncio.run(work())[0] for _ in range(3)] == ["0x539"] * 3


async def test_request_when_nothing_listens_raises(server: FaultServer) -> None:
    await server.__aexit__()
    async with HttpRpc(server.url) as rpc:
        with pytest.raises(NodeUnreachableError, match=f"{server.host} gave .*: Connection refused"):
            await rpc.request("eth_chainId")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connect call failed to http://KEY"), "Connection refused"),
        (gaierror(-2, "Name of http://KEY or service not known"), "the host's name is not known"),
        (ConnectionResetError("http://KEY"), "ConnectionResetError"),
        (ValueError("http://KEY"), "ValueError"),
    ],
)
def test_name_failure_says_what_failed_without_the_errors_text(error: Exception, said: str) -> None:
    assert name_failure(error) == said


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
async def test_request_when_http_429_raises_with_the_nodes_own_wish(
    server: FaultServer, headers: dict[str, str], wait_s: float | None
) -> None:
    server.answer = lambda _: Answer(HTML, status=429, headers=headers)
    async with HttpRpc(server.url) as rpc:
        with pytest.raises(RateLimitedError, match=server.host) as caught:
            await rpc.request("eth_sendRawTransaction", ("0x02",))
    assert caught.value.retry_after_s == wait_s
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "error",
    [
        {"code": 429, "message": "Your app has exceeded its compute units per second capacity"},
        {"code": -32005, "message": "daily request count exceeded, request rate limited"},
        {"code": -32007, "message": "50/second request limit reached"},
        {"code": -32016, "message": "over rate limit"},
        {"code": -32090, "message": "Too many requests, retry in 10s"},
    ],
)
async def test_request_when_a_rate_limit_hides_in_200_raises(
    server: FaultServer, error: dict[str, Any]
) -> None:
    """Catalogue 34."""
    server.answer = lambda request: as_json({"jsonrpc": "2.0", "id": request["id"], "error": error})
    async with HttpRpc(server.url) as rpc:
        with pytest.raises(RateLimitedError, match=server.host):
            await rpc.request("eth_call")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 400])
async def test_request_when_the_node_refuses_raises_its_code_text_and_data(
    server: FaultServer, status: int
) -> None:
    error = REFUSAL | {"data": {"more": 2**200}}
    server.answer = lambda request: as_json(
        {"jsonrpc": "2.0", "id": request["id"], "error": error}, status=status
    )
    async with HttpRpc(server.url) as rpc:
        with pytest.raises(NodeRefusedError) as caught:
            await rpc.request("eth_sendRawTransaction", ("0x02",))
    refusal = caught.value
    assert (refusal.rpc_code, refusal.rpc_message) == (-32000, "nonce too low")
    assert refusal.rpc_data == {"more": 2**200}
    assert len(server.requests) == 1


async def test_batch_answers_in_the_requests_order_whatever_the_servers_order(server: FaultServer) -> None:
    server.answer = lambda batch: as_json([result(request, request["params"][0]) for request in batch[::-1]])
    async with HttpRpc(server.url, max_batch=7) as rpc:
        replies = await rpc.batch([("echo", (number,)) for number in range(40)])
    assert replies == tuple(range(40))
    assert [len(batch) for batch in server.requests] == [7] * 5 + [5]


async def test_batch_when_one_request_is_refused_returns_the_refusal_in_its_place(
    server: FaultServer,
) -> None:
    def answer(batch: Any) -> Answer:
        replies = [result(request) for request in batch]
        replies[1] = {"jsonrpc": "2.0", "id": batch[1]["id"], "error": REFUSAL}
        return as_json(replies)

    server.answer = answer
    async with HttpRpc(server.url) as rpc:
        first, second, third = await rpc.batch([("a", ()), ("b", ()), ("c", ())])
    assert (first, third) == ("0x1", "0x1")
    assert isinstance(second, NodeRefusedError)
    assert second.method == "b"


@pytest.mark.parametrize("fault", UNREACHABLE)
async def test_batch_when_one_part_fails_raises_once(server: FaultServer, fault: str) -> None:
    def answer(batch: Any) -> Answer:
        broken = batch[0]["params"] == [2]
        return UNREACHABLE[fault](batch[0]) if broken else as_json([result(request) for request in batch])

    server.answer = answer
    async with HttpRpc(server.url, timeout_s=_get_timeout_s(fault), max_batch=2) as rpc:
        with pytest.raises(NodeUnreachableError, match=server.host):
            await rpc.batch([("echo", (number,)) for number in range(6)])
    assert _is_sent_once(sum(batch[0]["params"] == [2] for batch in server.requests), fault)


async def test_batch_when_the_node_takes_no_batches_raises_its_refusal(server: FaultServer) -> None:
    error = {"code": -32600, "message": "batch too large"}
    server.answer = lambda _: as_json({"jsonrpc": "2.0", "id": None, "error": error})
    async with HttpRpc(server.url) as rpc:
        with pytest.raises(NodeRefusedError, match="batch too large"):
            await rpc.batch([("a", ()), ("b", ())])
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [*UNREACHABLE, "429"])
async def test_errors_never_show_the_path_or_query_of_the_url(server: FaultServer, fault: str) -> None:
    server.answer = UNREACHABLE.get(fault, lambda _: Answer(HTML, status=429))
    async with HttpRpc(server.url, timeout_s=_get_timeout_s(fault)) as rpc:
        with pytest.raises(NodeError) as caught:
            await Node.connect(rpc)
        shown = repr(rpc) + rpc.where + "".join(traceback.format_exception(caught.value))
    assert "SECRET" not in shown


@pytest.mark.parametrize("url", ["ws://host/SECRET", "SECRET", "http:///SECRET", "file:///SECRET", ""])
def test_http_rpc_when_the_url_is_no_http_address_raises_without_showing_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        HttpRpc(url)
    assert "SECRET" not in str(caught.value)


def test_where_hides_user_and_password() -> None:
    assert HttpRpc("https://user:SECRET@node.example:8545/SECRET").where == "https://node.example:8545"
