"""The server as a process: the engine, its HTTP face, and an orderly end."""

from __future__ import annotations

import asyncio
from types import FrameType
from typing import Final

import uvicorn

from onchain_exec.app.engine import Engine
from onchain_exec.errors import ConfigError
from onchain_exec.server.api import make_app

_LEAST_TOKEN: Final = 16
"""Characters of a token that cannot be guessed: 64 random bits as hex."""


async def serve(engine: Engine, token: str, host: str = "127.0.0.1", port: int = 8_080) -> None:
    """Run the engine and serve it until SIGTERM or SIGINT. Then nothing more begins, and it returns when
    nothing is on its way; a second signal ends it at once. Either way the next start goes on from the
    journal.

    Raises:
        ConfigError: a token that can be guessed.
    """
    require_token(token)
    config = uvicorn.Config(make_app(engine, token), host=host, port=port, log_config=None, lifespan="off")
    server = _DrainingServer(config, engine)
    serving = asyncio.create_task(server.serve())
    trading = asyncio.create_task(engine.run())
    await asyncio.wait({serving, trading}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    if not trading.done():
        trading.cancel()
    await asyncio.gather(serving, trading, return_exceptions=True)
    if not trading.cancelled():
        trading.result()


def require_token(token: str) -> None:
    """Raise ConfigError unless the token is long enough to be secret."""
    if len(token) < _LEAST_TOKEN:
        raise ConfigError(
            f"an API token of {len(token)} characters",
            needed=f"{_LEAST_TOKEN} random ones or more",
            todo="Set ONCHAIN_EXEC_API_TOKEN, for example to the output of `openssl rand -hex 32`",
        )


class _DrainingServer(uvicorn.Server):
    """Answers the first signal by draining the engine, which ends the server in its turn."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine, self._loop = engine, asyncio.get_running_loop()
        self._is_draining = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain, or end at once if it drains already."""
        if self._is_draining:
            super().handle_exit(sig, frame)
        self._is_draining = True
        self._loop.call_soon_threadsafe(self._engine.drain)
