"""``engine`` and ``serve``."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated, Any

import typer

from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.engine import open_engine
from onchain_exec.cli.options import JournalPath, Rpc
from onchain_exec.cli.printing.output import messages
from onchain_exec.errors import ConfigError, MissingToolError


def engine(rpc: Rpc = None, journal: JournalPath = None) -> None:
    """Trade the journal's parent orders until SIGTERM or Ctrl-C; then begin nothing more, and end when
    nothing is on its way."""

    async def work() -> None:
        async with open_engine(rpc_url=rpc, journal=journal) as opened:
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, opened.drain)
            messages.print("The engine runs; Ctrl-C drains it.")
            await opened.run()

    asyncio.run(work())


def serve(
    rpc: Rpc = None,
    journal: JournalPath = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65_535)
    ] = 8_080,
) -> None:
    """Run the engine and serve it over HTTP and WebSocket, with a book of signed orders where the chain has a
    Settle contract; every request needs the bearer token of ONCHAIN_EXEC_API_TOKEN, or a maker's."""
    server = _import_server()
    settings = load_settings(journal=journal)
    if settings.api_token is None:
        raise ConfigError(
            "no API token is set", needed="ONCHAIN_EXEC_API_TOKEN", todo="`openssl rand -hex 32` makes one"
        )
    makers = tuple(token.get_secret_value() for token in settings.maker_tokens)
    access = server.serve.Access(settings.api_token.get_secret_value(), makers, host, port)
    server.logs.log_as_json()

    async def work() -> None:
        async with open_engine(server.tracing.trace_observed, rpc_url=rpc, journal=journal) as opened:
            with server.serve.open_service(opened.lanes[0], settings.journal) as book:
                await server.serve.serve(opened, access, book)

    asyncio.run(work())


def _import_server() -> Any:
    try:
        import onchain_exec.server.logs  # noqa: PLC0415 - the extra is needed by this command only
        import onchain_exec.server.serve  # noqa: PLC0415
        import onchain_exec.server.tracing  # noqa: PLC0415
    except ImportError as error:
        raise MissingToolError(
            f"the server needs {error.name}",
            needed="the extra `server`",
            todo="pip install 'onchain-exec[server]'",
        ) from error
    return onchain_exec.server
