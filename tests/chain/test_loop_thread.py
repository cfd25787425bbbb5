"""A loop in a thread: nobody who waits on it waits for ever, and nothing goes on unseen."""

import asyncio
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

import pytest

from onchain_exec.chain.loop_thread import LoopThread


class Endless:
    """Work that never ends by itself."""

    def __init__(self) -> None:
        self.began, self.ended = threading.Event(), threading.Event()

    async def work(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


def test_run_returns_what_the_work_returns() -> None:
    loop = LoopThread("test")
    assert loop.run(asyncio.sleep(0, 7)) == 7
    loop.close()


def test_close_ends_what_other_threads_wait_for() -> None:
    loop, endless = LoopThread("test"), Endless()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(loop.run, endless.work())
        assert endless.began.wait(60)
        loop.close()
        with pytest.raises(CancelledError):
            waiting.result(60)
    assert endless.ended.is_set()


def test_run_that_is_interrupted_cancels_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, endless = LoopThread("test"), Endless()

    def wait(running: Future[None]) -> None:
        assert endless.began.wait(60)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Future, "result", wait)
        with pytest.raises(KeyboardInterrupt):
            loop.run(endless.work())
    assert endless.ended.wait(60)
    loop.close()
