"""An HTTP server whose every answer is scripted, faults on the wire included."""

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from onchain_exec.testing.listening import stop_accepting


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, or what comes instead: silence, a reset, or a body cut short."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    reset: bool = False
    cut: bool = False


def result(request: Any, value: Any = "0x1") -> Any:
    """Return the JSON-RPC answer to one request."""
    return {"jsonrpc": "2.0", "id": request["id"], "result": value}


def as_json(value: Any, **more: Any) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(json.dumps(value).encode(), **more)


class FaultServer:
    """Records each request it has read (and so might have acted on) before it answers."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.answer: Callable[[Any], Answer] = lambda request: as_json(result(request))

    async def __aenter__(self) -> "FaultServer":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._server = await asyncio.start_server(self._serve, sock=self._listener)
        self._writers: set[asyncio.StreamWriter] = set()
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.host}/v2/SECRET-KEY?token=SECRET-TOKEN"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server.is_serving():
            await stop_accepting(self._listener)
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.split(b":")[1])
                    for line in head.splitlines()
                    if line.lower().startswith(b"content-length")
                )
                request = json.loads(await reader.readexactly(length))
                self.requests.append(request)
                if not self._reply(writer, self.answer(request)):
                    return
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _reply(self, writer: asyncio.StreamWriter, answer: Answer) -> bool:
        """Write the answer and return whether the connection goes on."""
        if answer.hang:
            return False
        if answer.reset:
            writer.transport.abort()
            return False
        length = len(answer.body) + (10 if answer.cut else 0)
        headers = {"Content-Length": str(length), "Content-Type": "application/json"} | dict(answer.headers)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} Status\r\n{lines}\r\n".encode() + answer.body)
        if answer.cut:
            writer.close()
        return not answer.cut
