"""``onchain-exec demo``, to which Ctrl-C comes right after a named step. Run as a program."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from onchain_exec.app.path.context import Step
from onchain_exec.chain import LocalChain
from onchain_exec.cli.main import main
from onchain_exec.cli.upkeep import local

START = LocalChain.start


def interrupt_after(name: str) -> None:
    """Let the demo be interrupted after its first step of this name; CHAIN is the start of its chain, which
    tells its process id."""

    def hear(step: str) -> None:
        if step == name:
            os.kill(os.getpid(), signal.SIGINT)

    def start(**options: Any) -> LocalChain:
        chain = START(**options)
        sys.stdout.write(f"{chain.pid}\n")
        sys.stdout.flush()
        hear("CHAIN")
        return chain

    def narrate(step: Step, _: object) -> None:
        hear(step.name)

    LocalChain.start = start  # type: ignore[method-assign, assignment]
    local.narrate = narrate


if __name__ == "__main__":
    interrupt_after(sys.argv.pop())
    main()
