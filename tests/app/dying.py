"""Programs that do what each line asks in a process forked off them, which may kill itself on the way."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from onchain_exec.app.path.context import Observer, Step

Work: TypeAlias = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
TESTS = Path(__file__).parents[1]


@contextmanager
def start_program(program: Path) -> Iterator[Callable[[dict[str, Any]], int]]:
    """Start a program that calls `serve`; yield what has it do one piece of work, and returns how the process
    ended that did."""
    paths = os.pathsep.join([str(TESTS), str(TESTS / "app"), *sys.path])
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as running:

        def ask(asked: dict[str, Any]) -> int:
            assert running.stdin
            assert running.stdout
            running.stdin.write(json.dumps(asked) + "\n")
            running.stdin.flush()
            return int(running.stdout.readline())

        yield ask


def serve(work: Work, rehearse: Work | None = None) -> None:
    """Do the work of each line of standard input, and write how its process ended (see
    `os.waitstatus_to_exitcode`). What is imported to ``rehearse`` the first, none has to import."""
    for number, line in enumerate(sys.stdin):
        asked = json.loads(line)
        if rehearse and not number:
            asyncio.run(rehearse(asked))
            gc.freeze()  # else each child's first collection copies the parent's memory
        sys.stdout.write(f"{_run(work, asked)}\n")
        sys.stdout.flush()


def _run(work: Work, asked: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        asyncio.run(work(asked))
    finally:
        traceback.print_exc()
        os._exit(1)


def die() -> None:
    """End as a power cut does."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(step: Step, occurrence: int) -> Observer:
    """Return the observer that dies once a step was done so many times (1 is the first)."""
    seen = 0

    def observe(done: Step, made: object) -> None:
        nonlocal seen
        seen += done is step
        if done is step and seen == occurrence:
            die()

    return observe
