"""How much a client may send: a bucket that fills up with time, and a body of bounded size."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 64 * 1024
"""Of a request or message: the largest order, with sixteen conditions of a kilobyte each, has room."""


class Bucket:
    """Holds ``burst`` requests and gets ``per_s`` more every second; ``clock`` gives seconds."""

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._burst, self._clock = per_s, burst, clock
        self._left, self._at = float(burst), clock()

    def take(self) -> float:
        """Take one request out; return 0, or the seconds until there is one."""
        now = self._clock()
        self._left = min(float(self._burst), self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._per_s
        self._left -= 1
        return 0.0


class BodyLimit:
    """Reads a request's body before the application does, and refuses one that is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        message = await _read_body(receive)
        if message is None:
            problem = {
                "code": "BodyTooLarge",
                "found": "a larger body",
                "needed": f"{MOST_BYTES} bytes at most",
            }
            await JSONResponse(problem, 413)(scope, receive, send)
            return
        waiting = [message]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, replay, send)


async def _read_body(receive: Receive) -> Message | None:
    """Return a request's body in one message, or that its client left; None if it is too large."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return {"type": "http.request", "body": body, "more_body": False}
