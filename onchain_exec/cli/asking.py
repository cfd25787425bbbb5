"""The one question that commands ask: whether to go on."""

from __future__ import annotations

import signal

from onchain_exec.errors import InputError


def confirm(question: str) -> bool:
    """Ask; only y or yes is yes. Ctrl-C is heard while asking, also within an event loop, which would hear
    it after the answer.

    Raises:
        InputError: nobody is there to answer.
        KeyboardInterrupt: Ctrl-C.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(f"{question} [y/N]: ").strip().lower() in ("y", "yes")
    except EOFError as error:
        raise InputError(
            "nobody answered; nothing was sent", needed="y or n, or --yes, or --dry-run"
        ) from error
    finally:
        signal.signal(signal.SIGINT, before)
