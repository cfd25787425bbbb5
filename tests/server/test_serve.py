"""The server as a process: what ends it is told."""

from __future__ import annotations

import asyncio
import socket

import pytest
from server.conftest import TOKEN, Served

from onchain_exec.errors import ConfigError
from onchain_exec.server.serve import Access, serve


async def test_serve_at_a_port_that_is_taken_is_a_configuration_error(served: Served) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}"):
            await serve(served.engine, Access(TOKEN, port=port))


async def test_serve_at_a_port_that_is_none_is_a_configuration_error(served: Served) -> None:
    with pytest.raises(ConfigError, match="port 65536"):
        await serve(served.engine, Access(TOKEN, port=65_536))


@pytest.mark.parametrize("turns", [0, 1, 2, 10])
async def test_serve_that_is_cancelled_leaves_nothing_running(served: Served, turns: int) -> None:
    serving = asyncio.create_task(serve(served.engine, Access(TOKEN, port=0)))
    for _ in range(turns):
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert asyncio.all_tasks() == {asyncio.current_task()}
