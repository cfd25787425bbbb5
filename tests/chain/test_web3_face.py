"""web3 over our transport: the same answers, and a send that fails is sent once."""

import importlib
import warnings
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from fault_server import Answer, FaultServer

from onchain_exec.chain import HttpRpc, LocalChain, Node
from onchain_exec.errors import NodeUnreachableError, RateLimitedError


@pytest.fixture(scope="module")
def face() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # web3 7 imports an old module of websockets
        return importlib.import_module("onchain_exec.chain.web3_face")


@pytest.fixture
def w3(face: ModuleType, chain: LocalChain) -> Iterator[Any]:
    web3 = face.as_web3(HttpRpc(chain.url))
    yield web3
    web3.provider.close()


def test_as_web3_answers_as_the_chain_does(w3: Any, chain: LocalChain) -> None:
    account = chain.accounts[0].address
    assert w3.is_connected()
    assert w3.eth.chain_id == 1337
    assert (
        w3.eth.get_block("latest").hash.hex()
        == chain.request("eth_getBlockByNumber", "latest", False)["hash"][2:]
    )
    tx_hash = w3.eth.send_transaction({"from": account, "to": account, "value": 1})
    chain.mine()
    assert w3.eth.wait_for_transaction_receipt(tx_hash).status == 1


def test_as_web3_batches(w3: Any, chain: LocalChain) -> None:
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block(0))
        batch.add(w3.eth.get_balance("0x" + "98" * 20))
        block, balance = batch.execute()
    assert (block.number, balance) == (0, 0)


def test_as_web3_when_a_call_reverts_raises_web3s_own_error(w3: Any) -> None:
    with pytest.raises(importlib.import_module("web3.exceptions").ContractLogicError) as caught:
        w3.eth.call({"data": "0x602a60005260206000fd"})
    assert caught.value.data == "0x" + f"{0x2A:064x}"


async def test_as_async_web3_shares_the_nodes_transport(face: ModuleType, node: Node) -> None:
    w3 = face.as_async_web3(node)
    assert await w3.is_connected()
    assert await w3.eth.chain_id == node.chain_id
    async with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block(0))
        batch.add(w3.eth.get_balance("0x" + "98" * 20))
        block, balance = await batch.async_execute()
    assert (block.number, balance) == (0, 0)


FAULTS: dict[str, tuple[Callable[[Any], Answer], type[Exception]]] = {
    "reset after the request was read": (lambda _: Answer(reset=True), NodeUnreachableError),
    "502": (lambda _: Answer(status=502), NodeUnreachableError),
    "429": (lambda _: Answer(status=429), RateLimitedError),
    "silence": (lambda _: Answer(hang=True), NodeUnreachableError),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_send_that_fails_is_sent_once(face: ModuleType, server: FaultServer, fault: str) -> None:
    """Catalogue 25: web3's own providers repeat it up to five times."""
    server.answer, error = FAULTS[fault]
    silent = fault == "silence"
    async with HttpRpc(server.url, timeout_s=0.2 if silent else 30.0) as rpc:
        with pytest.raises(error):
            await face.as_async_web3(rpc).eth.send_raw_transaction(b"\x02")
    sent = [request["method"] for request in server.requests]
    assert sent == ["eth_sendRawTransaction"] or (silent and not sent)  # given up before it left


async def test_is_connected_when_nothing_answers_is_false(face: ModuleType, server: FaultServer) -> None:
    server.answer = lambda _: Answer(status=503)
    async with HttpRpc(server.url) as rpc:
        w3 = face.as_async_web3(rpc)
        assert not await w3.is_connected()
        with pytest.raises(NodeUnreachableError):
            await w3.is_connected(show_traceback=True)
