"""A server in a thread of its own, driven without an event loop."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from threading import Thread
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from onchain_exec.errors import OnchainExecError

T = TypeVar("T")
_START_TIMEOUT_S: Final = 60.0


class BackgroundServer(ABC):
    """Listens on a loopback port until `close`, in a thread and an event loop of its own. A context manager.

    A subclass says in `_serve` what runs, and calls `_start` once it is made.
    """

    @abstractmethod
    def _serve(self) -> AbstractAsyncContextManager[int]:
        """Open what serves, for as long as the context is entered; give the port."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop every connection. Closing it twice does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    def _start(self, name: str) -> int:
        """Start the thread and return the port, or raise what kept it from starting."""
        started: Future[int] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._live(started)), name=name, daemon=True)
        self._thread.start()
        return started.result(_START_TIMEOUT_S)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine beside the server and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _live(self, started: Future[int]) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with self._serve() as port:
                started.set_result(port)
                await self._stop.wait()
        except (OSError, OnchainExecError) as error:
            if started.done():
                raise
            started.set_exception(error)
