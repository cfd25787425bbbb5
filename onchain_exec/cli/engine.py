"""``engine``, ``serve``, and what stops them: ``pause``, ``resume``, ``kill``, ``cancel``."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated, Any

import typer

from onchain_exec.app.engine import open_engine
from onchain_exec.app.opening import find_order, open_journal
from onchain_exec.app.settings import load_settings
from onchain_exec.cli.options import JournalPath, Json, Rpc
from onchain_exec.cli.output import messages, print_json
from onchain_exec.errors import ConfigError, MissingToolError
from onchain_exec.oms import EVERYTHING, SwitchState, parse_scope

Scope = Annotated[
    str, typer.Option("--scope", help="all, account:0x..., or venue:NAME (for example venue:uniswap_v3).")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is kept in the journal.")]


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
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8_080,
) -> None:
    """Run the engine and serve it over HTTP and WebSocket; every request needs the bearer token of
    ONCHAIN_EXEC_API_TOKEN."""
    server = _import_server()
    token = load_settings().api_token
    if token is None:
        raise ConfigError(
            "no API token is set", needed="ONCHAIN_EXEC_API_TOKEN", todo="`openssl rand -hex 32` makes one"
        )
    secret = token.get_secret_value()
    server.serve.require_token(secret)
    server.logs.log_as_json()

    async def work() -> None:
        async with open_engine(server.tracing.trace_observed, rpc_url=rpc, journal=journal) as opened:
            await server.serve.serve(opened, secret, host, port)

    asyncio.run(work())


def pause(
    scope: Scope = EVERYTHING, reason: Reason = "", journal: JournalPath = None, as_json: Json = False
) -> None:
    """Begin nothing new; what was signed is still looked after. It holds in every process of the journal."""
    _switch(scope, SwitchState.PAUSED, reason, journal, as_json=as_json)


def resume(
    scope: Scope = EVERYTHING, reason: Reason = "", journal: JournalPath = None, as_json: Json = False
) -> None:
    """Let a paused or killed scope run again."""
    _switch(scope, SwitchState.RUNNING, reason, journal, as_json=as_json)


def kill(
    scope: Scope = EVERYTHING, reason: Reason = "", journal: JournalPath = None, as_json: Json = False
) -> None:
    """Sign nothing and send nothing more, in every process of the journal. What was sent before may still
    be mined."""
    _switch(scope, SwitchState.KILLED, reason, journal, as_json=as_json)


def cancel(
    order: Annotated[str, typer.Argument(help="Id, client order id, or transaction hash of an order.")],
    journal: JournalPath = None,
    as_json: Json = False,
) -> None:
    """Ask for an order's cancellation: at once where nothing is signed; else a running engine (or
    `recover`) makes a cancel compete for its nonce."""
    with open_journal(journal) as opened:
        parent = opened.find_parent(order)
        name = parent.parent.order_id if parent else find_order(opened, order).order_id
        opened.append_cancel(name)
        view = opened.find_parent(name) or opened.read_order(name)
    if as_json:
        print_json(view.to_json())
    else:
        messages.print(f"{name} is {view.state.value}")


def _switch(scope: str, state: SwitchState, reason: str, journal: str | None, *, as_json: bool) -> None:
    with open_journal(journal) as opened:
        opened.append_switch(parse_scope(scope), state, reason)
        switches = [switch.to_json() for switch in opened.read_switches().values()]
    if as_json:
        print_json({"switches": switches})
    else:
        messages.print(f"{scope} is {state.value}")


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
