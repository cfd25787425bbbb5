"""Who may talk to the server: whoever has the token, and makers within their part of it."""

from __future__ import annotations

import hmac
import math
from collections.abc import Iterable
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from onchain_exec.server.rates import Bucket

MAKERS_PATH: Final = "/book"
"""Where those with a maker's token may go: the book of signed orders, and requests for quotes."""
_POLICY_VIOLATION: Final = 1008
"""WebSocket close code for a client that is not let in (RFC 6455)."""
_MAKER_PER_S, _MAKER_BURST = 50.0, 500


class BearerGuard:
    """Lets nothing through, on any path, without ``Authorization: Bearer TOKEN``. A maker's token opens
    `MAKERS_PATH` only, and for so many requests a second. The comparison takes the same time wherever the
    tokens differ."""

    def __init__(self, app: ASGIApp, token: str, maker_tokens: Iterable[str] = ()) -> None:
        self._app = app
        self._expected = _to_header(token)
        self._makers = [(_to_header(maker), Bucket(_MAKER_PER_S, _MAKER_BURST)) for maker in maker_tokens]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        refusal = None if scope["type"] == "lifespan" else self._judge(scope)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            await refusal(scope, receive, send)

    def _judge(self, scope: Scope) -> JSONResponse | None:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        word = given[0] if len(given) == 1 else b""
        if hmac.compare_digest(word, self._expected):
            return None
        buckets = [bucket for expected, bucket in self._makers if hmac.compare_digest(word, expected)]
        if not buckets:
            needed = "Authorization: Bearer TOKEN"
            return _refuse(401, "Unauthorised", "no valid token", needed, {"WWW-Authenticate": "Bearer"})
        path = scope["path"]
        if path != MAKERS_PATH and not path.startswith(f"{MAKERS_PATH}/"):
            return _refuse(403, "Forbidden", f"a maker's token at {path}", f"a path under {MAKERS_PATH}")
        if wait_s := buckets[0].take():
            headers = {"Retry-After": str(math.ceil(wait_s))}
            return _refuse(429, "TooManyRequests", "too many requests", f"{_MAKER_PER_S:.0f}/s", headers)
        return None


def _to_header(token: str) -> bytes:
    return f"Bearer {token}".encode()


def _refuse(
    status: int, code: str, found: str, needed: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    problem: dict[str, Any] = {"code": code, "found": found, "needed": needed}
    return JSONResponse(problem, status, headers=headers)
