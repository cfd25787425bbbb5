"""Exit codes, the same for every command."""

from __future__ import annotations

import enum

from onchain_exec.errors import ConfigError, InputError, OnchainExecError, StoppedError, WrongChainError


class Exit(enum.IntEnum):
    """0 done; 2 bad input; 3 denied by a limit; 4 failed; 5 the outcome is not known yet; 130 Ctrl-C."""

    DONE = 0
    BAD_INPUT = 2
    DENIED = 3
    FAILED = 4
    UNKNOWN = 5
    INTERRUPTED = 130


def exit_code_of(error: OnchainExecError) -> Exit:
    """Return the exit code that stands for an error."""
    if isinstance(error, StoppedError):
        return Exit.INTERRUPTED
    return Exit.BAD_INPUT if isinstance(error, (InputError, ConfigError, WrongChainError)) else Exit.FAILED
