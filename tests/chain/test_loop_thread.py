"""A loop in a thread: nobody who waits on it waits for ever, and nothing goes on unseen."""

import asyncio
import signal
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

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


def test_run_that_is_interrupted_cancels_the_work() -> None:
    loop, endless = LoopThread("test"), Endless()
    waits = threading.get_ident()

    def interrupt() -> None:
        assert endless.began.wait(60)
        signal.pthread_kill(waits, signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs this may ignore it
    try:
        interrupting.start()
        with pytest.raises(KeyboardInterrupt):
            loop.run(endless.work())
    finally:
        signal.signal(signal.SIGINT, before)
    interrupting.join()
    assert endless.ended.wait(60)
    loop.close()
