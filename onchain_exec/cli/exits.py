"""Exit codes, the same for every command."""

from __future__ import annotations

import enum

from onchain_exec.errors import ConfigError, InputError, OnchainExecError, WrongChainError


class Exit(enum.IntEnum):
    """0 done; 2 bad input; 3 denied by a limit; 4 failed; 5 the outcome is not known yet."""

    DONE = 0
    BAD_INPUT = 2
    DENIED = 3
    FAILED = 4
    UNKNOWN = 5


def exit_code_of(error: OnchainExecError) -> Exit:
    """Return the exit code that stands for an error."""
    return Exit.BAD_INPUT if isinstance(error, (InputError, ConfigError, WrongChainError)) else Exit.FAILED
