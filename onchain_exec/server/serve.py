"""The server as a process: the engine, its HTTP face, and an orderly end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

import uvicorn

from onchain_exec.app.engine import Engine
from onchain_exec.app.signed_book import follow_chain
from onchain_exec.errors import ConfigError
from onchain_exec.server.api import make_app
from onchain_exec.server.book.service import BookService, open_service
from onchain_exec.server.rates import MOST_BYTES

__all__ = ["Access", "open_service", "require_token", "serve"]

_LEAST_TOKEN: Final = 16
"""Characters of a token that cannot be guessed: 64 random bits as hex."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server listens, and for whom: who has ``token`` may do everything, who has one of the
    ``maker_tokens`` what concerns signed orders.

    Raises:
        ConfigError: a token that can be guessed.
    """

    token: str = field(repr=False)
    maker_tokens: tuple[str, ...] = field(default=(), repr=False)
    host: str = "127.0.0.1"
    port: int = 8_080

    def __post_init__(self) -> None:
        for token in (self.token, *self.maker_tokens):
            require_token(token)


async def serve(engine: Engine, access: Access, book: BookService | None = None) -> None:
    """Run the engine and serve it, with a ``book`` that follows the chain, until SIGTERM or SIGINT. Then
    nothing more begins, and it returns when nothing is on its way; a second signal ends it at once. Either
    way the next start goes on from the journal.

    Raises:
        ConfigError: it cannot listen there.
        OnchainExecError: what ended the engine, or the following of the chain.
    """
    config = uvicorn.Config(
        make_app(engine, access.token, book, access.maker_tokens),
        host=access.host,
        port=access.port,
        log_config=None,
        lifespan="off",
        ws_max_size=MOST_BYTES,
    )
    server = _DrainingServer(config, engine)
    serving = asyncio.create_task(_listen(server))
    trading = asyncio.create_task(engine.run())
    following = [asyncio.create_task(follow_chain(book.context.node, book.book))] if book else []
    try:
        await asyncio.wait({serving, trading, *following}, return_when=asyncio.FIRST_COMPLETED)
    finally:  # after a cancellation, too: nothing trades on unseen
        server.should_exit = True
        for task in (trading, *following):
            task.cancel()
        await asyncio.gather(serving, trading, *following, return_exceptions=True)
    for task in (serving, trading, *following):
        if not task.cancelled():
            task.result()


async def _listen(server: uvicorn.Server) -> None:
    try:
        await server.serve()
    except (SystemExit, OverflowError) as error:  # the first is uvicorn's word for a failed start
        raise ConfigError(
            f"cannot listen at {server.config.host}, port {server.config.port}",
            needed="an address of this host and a free port",
        ) from error


def require_token(token: str) -> None:
    """Raise ConfigError unless the token is long enough to be secret."""
    if len(token) < _LEAST_TOKEN:
        raise ConfigError(
            f"an API token of {len(token)} characters",
            needed=f"{_LEAST_TOKEN} random ones or more",
            todo="Make each with `openssl rand -hex 32`",
        )


class _DrainingServer(uvicorn.Server):
    """Answers the first signal by draining the engine, which ends the server in its turn."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine, self._is_draining = engine, False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Drain, or end at once if it drains already."""
        if self._is_draining:
            super().handle_exit(sig, frame)
        self._is_draining = True
        self._engine.drain()
