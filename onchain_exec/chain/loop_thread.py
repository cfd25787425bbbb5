"""An event loop for code that does not await."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from onchain_exec.errors import InputError, StoppedError

T = TypeVar("T")


class LoopThread:
    """An event loop in a daemon thread, until `close`. Thread-safe. Errors call it ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop, self._ending = asyncio.new_event_loop(), asyncio.Event()
        self._closing, self._is_closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns. It is cancelled where waiting for it is interrupted.

        Raises:
            InputError: it was closed before; nothing was begun.
            StoppedError: another thread called `close` meanwhile.
        """
        with self._closing:  # what is begun before the end is cancelled by it, and nothing is begun after
            if self._is_closed:
                work.close()
                raise InputError(
                    f"the {self._name} was closed before", needed="an open one", todo="Open another"
                )
            running = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return running.result()
        except CancelledError:
            raise StoppedError(f"another thread closed the {self._name} meanwhile") from None
        finally:
            running.cancel()

    def close(self) -> None:
        """Cancel what still runs, and end the thread. Closing it twice does nothing."""
        with self._closing:
            if not self._is_closed:
                self._loop.call_soon_threadsafe(self._ending.set)
            self._is_closed = True
        self._thread.join()

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._ending.wait())
