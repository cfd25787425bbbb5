"""Faces for `Web3` and `AsyncWeb3` over our transport, so that other code shares it.

web3 is optional: import this module only where it is used. web3's own HTTP providers repeat
requests that failed, sends among them; these do not: what the `Rpc` raises reaches the caller.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onchain_exec.chain.loop_thread import LoopThread
from onchain_exec.chain.node import Node
from onchain_exec.chain.rpc import Rpc
from onchain_exec.chain.wire import Reply, Request
from onchain_exec.errors import MissingToolError, NodeError, NodeRefusedError

try:
    from web3 import AsyncWeb3, Web3
    from web3.providers.async_base import AsyncJSONBaseProvider
    from web3.providers.base import JSONBaseProvider
    from web3.types import RPCEndpoint, RPCResponse
except ImportError as error:
    raise MissingToolError(
        "web3 is not installed", needed="web3 7 or 8", todo="Run `pip install web3`"
    ) from error


def as_async_web3(source: Node | Rpc) -> AsyncWeb3[AsyncRpcProvider]:
    """Return an `AsyncWeb3` over the transport of ``source``, whose owner closes it."""
    return AsyncWeb3(AsyncRpcProvider(_get_rpc(source)))


def as_web3(source: Node | Rpc) -> Web3:
    """Return a `Web3` over the transport of ``source``.

    It works on an event loop of its own in a daemon thread; ``w3.provider.close()`` ends both.
    """
    return Web3(RpcProvider(_get_rpc(source)))


class AsyncRpcProvider(AsyncJSONBaseProvider):
    """The provider of `as_async_web3`."""

    def __init__(self, rpc: Rpc) -> None:
        super().__init__()
        self._rpc = rpc

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the answer to one request; a refusal becomes web3's own error."""
        return _to_response((await self._rpc.batch([_to_request(method, params)]))[0])

    async def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Return the answers in the requests' order."""
        replies = await self._rpc.batch([_to_request(method, params) for method, params in requests])
        return [_to_response(reply) for reply in replies]

    async def is_connected(self, show_traceback: bool = False) -> bool:
        """Return whether the node answers; ``show_traceback`` raises its error instead of False."""
        try:
            await self._rpc.request("eth_chainId")
        except NodeError:
            if show_traceback:
                raise
            return False
        return True


class RpcProvider(JSONBaseProvider):
    """The provider of `as_web3`."""

    def __init__(self, rpc: Rpc) -> None:
        super().__init__()
        self._rpc = rpc
        self._async = AsyncRpcProvider(rpc)
        self._loop = LoopThread("web3 provider")

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Return the answer to one request; a refusal becomes web3's own error."""
        return self._loop.run(self._async.make_request(method, params))

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse]:
        """Return the answers in the requests' order."""
        return self._loop.run(self._async.make_batch_request(requests))

    def is_connected(self, show_traceback: bool = False) -> bool:
        """Return whether the node answers; ``show_traceback`` raises its error instead of False."""
        return self._loop.run(self._async.is_connected(show_traceback))

    def close(self) -> None:
        """End this face's connections, loop and thread."""
        try:
            self._loop.run(self._rpc.close())
        finally:
            self._loop.close()


def _get_rpc(source: Node | Rpc) -> Rpc:
    return source.rpc if isinstance(source, Node) else source


def _to_request(method: RPCEndpoint, params: Any) -> Request:
    return method, _to_json(params)


def _to_json(value: Any) -> Any:
    """Return web3's parameters as plain JSON values: HexBytes and AttributeDict are its own types."""
    if isinstance(value, bytes):
        return "0x" + bytes(value).hex()
    if isinstance(value, Mapping):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_json(item) for item in value]
    return value


def _to_response(reply: Reply) -> RPCResponse:
    if not isinstance(reply, NodeRefusedError):
        return {"jsonrpc": "2.0", "id": 1, "result": reply}
    refusal: Any = {"code": reply.rpc_code, "message": reply.rpc_message}
    if reply.rpc_data is not None:
        refusal["data"] = reply.rpc_data
    return {"jsonrpc": "2.0", "id": 1, "error": refusal}
