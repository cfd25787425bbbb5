"""The sockets of nodes as `Rpc`: WebSocket and IPC."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from onchain_exec.chain.duplex import Channel, DuplexRpc
from onchain_exec.chain.rpc import get_where
from onchain_exec.errors import ConfigError

_MAX_MESSAGE: Final = 64 * 2**20
"""Bytes of one answer: a batch of large calls is one message."""

_CHUNK: Final = 2**18

_FAREWELL_S: Final = 1.0
"""How long a WebSocket's end is waited for: a node that has hung says nothing to it."""


def open_web_socket(
    url: str, *, timeout_s: float = 10.0, max_batch: int = 100, max_body: int = 1_000_000
) -> DuplexRpc:
    """Return the `Rpc` of a ``ws://`` or ``wss://`` URL.

    Raises:
        ConfigError: it is none.
    """

    where = get_where(url, ("ws", "wss"))
    open_channel = partial(connect_web_socket, url)
    return DuplexRpc(where, open_channel, timeout_s=timeout_s, max_batch=max_batch, max_body=max_body)


def open_ipc(
    url: str, *, timeout_s: float = 10.0, max_batch: int = 100, max_body: int = 1_000_000
) -> DuplexRpc:
    """Return the `Rpc` of a node's socket, ``ipc:///path/to/geth.ipc``.

    Raises:
        ConfigError: the URL names no path.
    """
    parts = urlsplit(url)
    if parts.scheme != "ipc" or parts.netloc or not parts.path:
        raise ConfigError("the node URL is no IPC address", needed="ipc:///path/to/node.ipc")

    async def open_channel() -> _IpcSocket:
        return _IpcSocket(*await asyncio.open_unix_connection(parts.path))

    return DuplexRpc(url, open_channel, timeout_s=timeout_s, max_batch=max_batch, max_body=max_body)


async def connect_web_socket(url: str) -> Channel:
    """Open a WebSocket.

    Raises:
        OSError: nothing answers as one.
    """
    try:
        return _WebSocket(await connect(url, proxy=None, max_size=_MAX_MESSAGE))
    except WebSocketException as error:
        raise ConnectionRefusedError from error


class _WebSocket:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def write(self, message: bytes) -> None:
        try:
            await self._socket.send(message, text=True)
        except WebSocketException as error:
            raise ConnectionResetError from error

    async def read(self) -> Any:
        try:
            return json.loads(await self._socket.recv())
        except WebSocketException as error:
            raise ConnectionResetError from error

    async def close(self) -> None:
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await self._socket.close()
        except TimeoutError:
            pass
        finally:
            self._socket.transport.abort()


class _IpcSocket:
    """Messages follow one another without a mark between them: each ends where its JSON does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._buffer = ""
        self._decoder = json.JSONDecoder()

    async def write(self, message: bytes) -> None:
        self._writer.write(message + b"\n")
        await self._writer.drain()

    async def read(self) -> Any:
        pending = b""
        while True:
            try:
                message, end = self._decoder.raw_decode(self._buffer)
            except json.JSONDecodeError:
                pass  # the rest of it is still on its way
            else:
                self._buffer = self._buffer[end:].lstrip()
                return message
            pending += await self._read_some()
            if pending.rstrip()[-1:] in (b"}", b"]"):
                self._buffer = (self._buffer + pending.decode()).lstrip()
                pending = b""

    async def close(self) -> None:
        self._writer.transport.abort()
        with suppress(OSError):  # by which it ended before
            await self._writer.wait_closed()

    async def _read_some(self) -> bytes:
        found = await self._reader.read(_CHUNK)
        if not found:
            raise ConnectionResetError
        return found
