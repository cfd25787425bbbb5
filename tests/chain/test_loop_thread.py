"""A loop in a thread: nobody who waits on it waits for ever, and nothing goes on unseen."""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from onchain_exec.chain.loop_thread import LoopThread
from onchain_exec.errors import InputError, StoppedError


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
    loop = LoopThread("desk")
    assert loop.run(asyncio.sleep(0, 7)) == 7
    loop.close()


def test_close_ends_what_other_threads_wait_for() -> None:
    loop, endless = LoopThread("desk"), Endless()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(loop.run, endless.work())
        assert endless.began.wait(60)
        loop.close()
        with pytest.raises(StoppedError, match="another thread closed the desk"):
            waiting.result(60)
    assert endless.ended.is_set()


def test_run_after_close_is_refused_and_nothing_begun() -> None:
    loop, endless = LoopThread("desk"), Endless()
    loop.close()
    loop.close()
    with pytest.raises(InputError, match="the desk was closed before"):
        loop.run(endless.work())
    assert not endless.began.is_set()


def test_run_beside_close_ends_whoever_is_first() -> None:
    """Whatever is begun while the loop ends is cancelled or refused: nobody hangs, nothing is left."""

    def run_again_and_again(loop: LoopThread) -> None:
        while True:
            loop.run(asyncio.sleep(0))

    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            loop = LoopThread("desk")
            running = [pool.submit(run_again_and_again, loop) for _ in range(4)]
            loop.close()
            for each in running:
                with pytest.raises((InputError, StoppedError)):
                    each.result(60)


def test_run_that_is_interrupted_cancels_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, endless = LoopThread("desk"), Endless()

    def wait(running: Future[None]) -> None:
        assert endless.began.wait(60)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Future, "result", wait)
        with pytest.raises(KeyboardInterrupt):
            loop.run(endless.work())
    assert endless.ended.wait(60)
    loop.close()
