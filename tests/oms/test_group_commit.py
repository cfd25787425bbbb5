"""Every job is committed once, in company where there is some, and nobody waits for a thread that left."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onchain_exec.oms.group_commit import GroupCommit


class RefusedError(Exception):
    """A call that did nothing."""


@given(refused=st.sets(st.integers(0, 39)), threads=st.integers(1, 8))
def test_run_by_many_threads_each_job_is_committed_once_or_its_error_raised(refused, threads):
    done: list[int] = []
    running = threading.Lock()

    def commit(jobs: list[int]) -> None:
        assert running.acquire(blocking=False)
        try:
            if refused & set(jobs):
                raise RefusedError(jobs)
            done.extend(jobs)
        finally:
            running.release()

    group = GroupCommit(commit)

    def run(job: int) -> bool:
        try:
            group.run(job)
        except RefusedError:
            return False
        return True

    with ThreadPoolExecutor(threads) as pool:
        told = list(pool.map(run, range(40), timeout=60))
    assert Counter(done) == {job: 1 for job in range(40) if told[job]}
    assert refused.isdisjoint(done)


def test_run_while_another_commits_shares_the_next_call():
    calls: list[list[int]] = []
    group = GroupCommit(lambda jobs: (calls.append(jobs), wait_for_queue(group, len(calls) == 1 and 5)))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(group.run, range(6), timeout=60))
    assert [len(jobs) for jobs in calls] == [1, 5]


def test_run_of_a_call_that_failed_tries_the_others_alone():
    calls: list[list[int]] = []

    def commit(jobs: list[int]) -> None:
        calls.append(jobs)
        wait_for_queue(group, len(calls) == 1 and 3)
        if len(calls) == 2:
            raise RefusedError

    group = GroupCommit(commit)
    with ThreadPoolExecutor(4) as pool:
        outcomes = [future.exception(60) for future in [pool.submit(group.run, job) for job in range(4)]]
    assert [len(jobs) for jobs in calls] == [1, 3, 1, 1]
    assert sum(isinstance(outcome, RefusedError) for outcome in outcomes) == 1


def test_run_interrupted_while_it_waits_leaves_the_others_to_go_on(request):
    first_may_end, interrupted = threading.Event(), threading.Event()
    calls: list[list[str]] = []

    def commit(jobs: list[str]) -> None:
        calls.append(jobs)
        if jobs == ["first"]:
            first_may_end.wait(60)

    group = GroupCommit(commit)
    main = threading.get_ident()

    def interrupt() -> None:
        """Again and again: a signal just before the wait begins is heard only after it."""
        wait_for_queue(group, 1)
        while not interrupted.wait(0.01):
            signal.pthread_kill(main, signal.SIGINT)

    def hear(number: int, frame: object) -> None:
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hear)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(group.run, "first")
        while not calls:
            time.sleep(0.001)
        pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            group.run("interrupted")
        last = pool.submit(group.run, "last")
        wait_for_queue(group, 1)
        first_may_end.set()
        first.result(60)
        last.result(60)
    assert calls == [["first"], ["last"]]


def wait_for_queue(group: GroupCommit, length: int) -> None:
    """Return when so many wait."""
    while len(group._waiting) < length:
        time.sleep(0.001)
