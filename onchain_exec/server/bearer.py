"""Who may talk to the server: whoever has the token."""

from __future__ import annotations

import hmac
from typing import Final

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_POLICY_VIOLATION: Final = 1008
"""WebSocket close code for a client that is not let in (RFC 6455)."""


class BearerGuard:
    """Lets nothing through, on any path, without ``Authorization: Bearer TOKEN``. The comparison takes
    the same time wherever the tokens differ."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        if scope["type"] == "lifespan" or self._is_allowed(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
        else:
            problem = {
                "code": "Unauthorised",
                "found": "no valid token",
                "needed": "Authorization: Bearer TOKEN",
            }
            refusal = JSONResponse(problem, 401, headers={"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)
