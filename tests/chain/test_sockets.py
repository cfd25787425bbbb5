"""WebSocket and IPC: the same answers as over HTTP, and what breaks is typed and never repeated."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fault_server import FaultServer
from silent_channel import SilentChannel
from web_socket_server import serve_sockets
from websockets.asyncio.server import ServerConnection
from websockets.utils import accept_key

from onchain_exec.chain import (
    Endpoint,
    EndpointLimits,
    EndpointPool,
    LocalChain,
    Node,
    PoolPolicy,
    open_rpc,
)
from onchain_exec.chain.duplex import DuplexRpc
from onchain_exec.chain.sockets import open_ipc, open_web_socket
from onchain_exec.errors import ConfigError, NodeRefusedError, NodeUnreachableError
from onchain_exec.testing.simulated import run_virtually


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalChain]:
    path = tmp_path_factory.mktemp("ipc") / "node.ipc"
    with LocalChain.start(extra=("--ipc", str(path))) as started:
        started.ipc_url = f"ipc://{path}"  # type: ignore[attr-defined]
        yield started


@pytest.fixture(params=["ws", "ipc"])
async def rpc(request: pytest.FixtureRequest, chain: LocalChain) -> AsyncIterator[Any]:
    url = chain.url.replace("http", "ws") if request.param == "ws" else chain.ipc_url  # type: ignore[attr-defined]
    opened = open_rpc(url)
    yield opened
    await opened.close()


async def test_node_over_a_socket_reads_as_over_http(rpc: Any, chain: LocalChain, node: Node) -> None:
    over_socket = await Node.connect(rpc, chain.chain_id)
    chain.mine(3)
    assert await over_socket.get_block() == await node.get_block()
    assert await over_socket.get_balance(chain.accounts[0].address) == 10_000 * 10**18


async def test_batch_and_requests_side_by_side_each_get_their_own_answer(rpc: Any, chain: LocalChain) -> None:
    accounts = [account.address for account in chain.accounts] * 30
    batch = rpc.batch([("eth_getBalance", (account, "latest")) for account in accounts])
    single = [rpc.request("eth_getBlockByNumber", (hex(number), False)) for number in range(3)]
    balances, *blocks = await asyncio.gather(batch, *single)
    assert balances == (hex(10_000 * 10**18),) * len(accounts)
    assert [block["number"] for block in blocks] == ["0x0", "0x1", "0x2"]


async def test_request_that_the_node_refuses_raises_and_the_next_is_answered(rpc: Any) -> None:
    with pytest.raises(NodeRefusedError):
        await rpc.request("eth_nothing")
    first, second = await rpc.batch([("eth_chainId", ()), ("eth_nothing", ())])
    assert first == "0x539"
    assert isinstance(second, NodeRefusedError)


class ScriptedSocket:
    """A WebSocket server that answers each message by a function of it."""

    def __init__(self, answer: Callable[[Any], Any], timeout_s: float = 30) -> None:
        self.answer, self.timeout_s, self.heard, self.sockets = answer, timeout_s, 0, 0
        self.hears = asyncio.Event()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[DuplexRpc]:
        async with (
            serve_sockets(self._talk) as url,
            open_web_socket(f"{url}/SECRET", timeout_s=self.timeout_s) as rpc,
        ):
            yield rpc

    async def _talk(self, socket: ServerConnection) -> None:
        self.sockets += 1
        async for message in socket:
            self.heard += 1
            self.hears.set()
            said = self.answer(json.loads(message))
            if said is None:
                continue
            if said == "close":
                return
            await socket.send(said if isinstance(said, str) else json.dumps(said))


BROKEN = {
    "a closed socket": lambda request: "close",
    "no JSON": lambda request: "<html>SECRET",
    "JSON cut short": lambda request: '{"jsonrpc":"2.0","id":',
    "another request's answer": lambda request: {"jsonrpc": "2.0", "id": request["id"] + 9, "result": "0x1"},
}


@pytest.mark.parametrize("fault", BROKEN)
async def test_request_when_the_socket_fails_raises_once_and_opens_another(fault: str) -> None:
    server = ScriptedSocket(BROKEN[fault], timeout_s=4)  # "another request's answer" waits as long
    async with server.serve() as rpc:
        with pytest.raises(NodeUnreachableError) as caught:
            await rpc.request("eth_sendRawTransaction", ("0x02",))
        assert "SECRET" not in str(caught.value)
        assert server.heard == 1
        server.answer = lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": "0x7"}
        assert await rpc.request("eth_chainId") == "0x7"
    assert server.sockets == 2


class BabblingChannel(SilentChannel):
    """A connection whose first message is no JSON."""

    async def read(self) -> Any:
        raise ValueError


def test_request_when_the_socket_is_deaf_raises_once_and_opens_another() -> None:
    """Catalogue 35, in virtual time."""
    opened: list[SilentChannel] = []

    async def open_channel() -> SilentChannel:
        opened.append(SilentChannel())
        return opened[-1]

    async def work() -> None:
        rpc = DuplexRpc("ws://node", open_channel, timeout_s=10)
        for _ in range(2):
            with pytest.raises(NodeUnreachableError, match="no answer within 10 s"):
                await rpc.request("eth_sendRawTransaction", ("0x02",))
        assert asyncio.get_running_loop().time() == 2 * (10 + 1)
        await rpc.close()

    run_virtually(work())
    assert [(channel.heard, channel.is_open) for channel in opened] == [(1, False)] * 2


def test_requests_that_wait_for_one_opening_that_never_ends_each_raise() -> None:
    """The first to give up closes it; the other was not cancelled, and must not be told so."""

    async def work() -> None:
        rpc = DuplexRpc("ws://node", lambda: asyncio.sleep(1_000_000, SilentChannel()), timeout_s=10)
        first = asyncio.create_task(rpc.request("a"))
        await asyncio.sleep(5)
        with pytest.raises(NodeUnreachableError):
            await rpc.request("b")
        with pytest.raises(NodeUnreachableError):
            await first

    run_virtually(work())


def test_channel_that_says_what_is_no_json_is_closed() -> None:
    channel = BabblingChannel()

    async def work() -> None:
        rpc = DuplexRpc("ws://node", lambda: asyncio.sleep(0, channel))
        with pytest.raises(NodeUnreachableError):
            await rpc.request("a")
        await asyncio.sleep(2)

    run_virtually(work())
    assert not channel.is_open


@pytest.mark.parametrize("after_s", [0, 0.5])
def test_close_that_is_cancelled_closes_nevertheless(after_s: float) -> None:
    channel = SilentChannel()

    async def work() -> None:
        rpc = DuplexRpc("ws://node", lambda: asyncio.sleep(0, channel))
        asking = asyncio.create_task(rpc.request("a"))
        await asyncio.sleep(1)
        closing = asyncio.create_task(rpc.close())
        await asyncio.sleep(after_s)
        closing.cancel()
        with pytest.raises(NodeUnreachableError):
            await asking
        await asyncio.sleep(2)

    run_virtually(work())
    assert not channel.is_open


async def test_request_to_a_web_socket_that_reads_nothing_raises() -> None:
    """A dead host takes no bytes: neither the request's, nor those that say farewell."""
    closed = asyncio.Event()

    async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (key,) = re.findall(rb"Sec-WebSocket-Key: (\S+)", await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept_key(key.decode()).encode()
        )
        await closed.wait()
        writer.close()

    async with await asyncio.start_server(shake_hands, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        rpc = open_web_socket(f"ws://127.0.0.1:{port}", timeout_s=0.5)
        with pytest.raises(NodeUnreachableError, match=r"no answer within 0\.5 s"):
            async with asyncio.timeout(15):  # before the library's own farewell has had its time
                await rpc.request("x", ["0" * 20_000_000])
        await rpc.close()
        closed.set()


async def test_ipc_whose_node_hung_up_is_closed(tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        await reader.read()
        writer.close()
        closed.set()

    path = tmp_path / "ended.ipc"
    async with await asyncio.start_unix_server(hang_up, path), open_ipc(f"ipc://{path}") as rpc:
        with pytest.raises(NodeUnreachableError):
            await rpc.request("x")
        async with asyncio.timeout(60):
            await closed.wait()


async def test_request_when_an_answer_comes_too_late_is_not_given_to_the_next() -> None:
    held: list[Any] = []

    def answer(request: Any) -> Any:
        held.append(request["id"])
        if len(held) == 1:
            return None
        late = {"jsonrpc": "2.0", "id": held[0], "result": "late"}
        return late if len(held) == 2 else {"jsonrpc": "2.0", "id": request["id"], "result": "own"}

    server = ScriptedSocket(answer)
    async with server.serve() as rpc:
        first = asyncio.create_task(rpc.request("a"))
        await server.hears.wait()
        first.cancel()
        server.hears.clear()
        second = asyncio.create_task(rpc.request("b"))
        await server.hears.wait()
        assert await rpc.request("c") == "own"
        assert not second.done()
        second.cancel()


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "ipc:///nothing/here.ipc"])
async def test_request_when_nothing_listens_raises(url: str) -> None:
    rpc = open_rpc(url)
    with pytest.raises(NodeUnreachableError):
        await rpc.request("eth_chainId")
    await rpc.close()


async def test_ipc_reads_an_answer_that_comes_in_pieces(tmp_path: Path) -> None:
    answer = {"jsonrpc": "2.0", "id": 1, "result": {"text": "}{ ü" * 5_000, "n": 2**200}}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        body = json.dumps(answer, ensure_ascii=False).encode()
        for start in range(0, len(body), 997):
            writer.write(body[start : start + 997])
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    path = tmp_path / "pieces.ipc"
    async with await asyncio.start_unix_server(talk, path), open_ipc(f"ipc://{path}") as rpc:
        assert await rpc.request("x") == answer["result"]


@pytest.mark.parametrize("url", ["http://SECRET", "ws:///SECRET", "ipc://host/SECRET", "SECRET"])
def test_open_of_no_socket_address_raises_without_showing_it(url: str) -> None:
    for opened in (open_web_socket, open_ipc):
        with pytest.raises(ConfigError) as caught:
            opened(url)
        assert "SECRET" not in str(caught.value)


def test_open_rpc_of_one_url_is_its_transport_and_of_several_a_pool(server: FaultServer) -> None:
    kinds = [type(open_rpc(urls)).__name__ for urls in (server.url, "ws://a", f"{server.url} ws://a")]
    assert kinds == ["HttpRpc", "DuplexRpc", "EndpointPool"]


def test_open_rpc_of_one_endpoint_with_a_rate_or_a_policy_is_a_pool_and_of_none_raises() -> None:
    limited = Endpoint("http://a", limits=EndpointLimits(requests_per_s=5))
    assert isinstance(open_rpc([limited]), EndpointPool)
    assert isinstance(open_rpc([Endpoint("http://a")], policy=PoolPolicy(max_head_age_s=60)), EndpointPool)
    with pytest.raises(ConfigError, match="read role"):
        open_rpc([])
