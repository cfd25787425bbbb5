"""The anvil process: started on a free loopback port, guarded, always ended."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypedDict

from onchain_exec.chain.tools import find_tool
from onchain_exec.core import Address, to_address
from onchain_exec.errors import ConfigError, NodeUnreachableError

_GUARD: Final = """exec 3<&0
"$@" </dev/null 3<&- &
echo "guarded $!"
exec >/dev/null 2>&1
read -r _ <&3
kill -9 $!
wait $!"""
"""Ends anvil when its owner ends: a line, or the end of file, on the pipe that only the owner holds.

It runs in a session of its own, so that Ctrl-C reaches anvil through its owner only. Linux's
PR_SET_PDEATHSIG would not do: it fires when the *thread* that started the process ends."""

_START_TIMEOUT_S: Final = 20.0
_GREETING_BYTES: Final = 1 << 20
_POLL_S: Final = 0.002
_PID: Final = re.compile(r"^guarded (\d+)$", re.MULTILINE)
_LISTENING: Final = re.compile(r"^Listening on 127\.0\.0\.1:(\d+)$", re.MULTILINE)
_FAILED: Final = re.compile(r"^.*(?:\berror\b|Error:|panicked).*$", re.MULTILINE)
_ADDRESS: Final = re.compile(r"^\(\d+\) (0x[0-9a-fA-F]{40}) ", re.MULTILINE)
_KEY: Final = re.compile(r"^\(\d+\) (0x[0-9a-f]{64})$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class DevAccount:
    """One of anvil's public test accounts. Its key is in every copy of anvil: never fund it."""

    address: Address
    key: str


class AnvilOptions(TypedDict, total=False):
    """How anvil runs, every option with a default.

    ``chain_id`` is 1337 (None takes the fork's), ``port`` 0 for a free one, ``accounts`` 10,
    ``hardfork`` the newest that the main chains have activated. ``block_time_s`` mines at an
    interval; without it each transaction is mined at once. ``state`` is a file of
    `LocalChain.dump_state` to begin with. ``kept_states`` bounds the past blocks whose state stays
    in memory: older ones cannot be read at. ``extra`` are further command line arguments.
    """

    chain_id: int | None
    port: int
    accounts: int
    hardfork: str
    block_time_s: int | None
    state: Path | None
    kept_states: int
    fork_url: str | None
    fork_block_number: int | None
    extra: tuple[str, ...]


_DEFAULTS: Final[AnvilOptions] = {
    "chain_id": 1337,
    "port": 0,
    "accounts": 10,
    "hardfork": "osaka",
    "kept_states": 1_000,
}
_FLAGS: Final = {
    "chain_id": "--chain-id",
    "port": "--port",
    "accounts": "--accounts",
    "hardfork": "--hardfork",
    "block_time_s": "--block-time",
    "state": "--load-state",
    "kept_states": "--prune-history",
    "fork_url": "--fork-url",
    "fork_block_number": "--fork-block-number",
}


def _arguments(options: AnvilOptions) -> list[str]:
    arguments = ["--host", "127.0.0.1", "--no-request-size-limit", *options.get("extra", ())]
    if options.get("fork_url"):
        # anvil caches slots by chain id and height: another local chain's would be taken for this one's.
        arguments.append("--no-storage-caching")
    for name, value in {**_DEFAULTS, **options}.items():
        if name in _FLAGS and value is not None:
            arguments += [_FLAGS[name], str(value)]
    return arguments


class AnvilProcess:
    """A running anvil. ``pid`` and ``port`` are its own; ``accounts`` the funded test accounts."""

    def __init__(self, options: AnvilOptions) -> None:
        state = options.get("state")
        if state and not state.is_file():
            raise ConfigError(f"no state file at {state}", needed="a file of LocalChain.dump_state")
        command = ["/bin/sh", "-c", _GUARD, "anvil-guard", str(find_tool("anvil")), *_arguments(options)]
        with tempfile.TemporaryFile() as log:
            self._guard = subprocess.Popen(  # noqa: S603 - our own command, no shell text from outside
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )
            with ExitStack() as starting:
                starting.callback(self.end)
                text = _wait_until_listening(log)
                starting.pop_all()
        self.pid, self.port = int(_found(_PID, text)), int(_found(_LISTENING, text))
        self.accounts = tuple(
            DevAccount(to_address(address), key)
            for address, key in zip(_ADDRESS.findall(text), _KEY.findall(text), strict=True)
        )

    def end(self) -> None:
        """End the process and wait until it is gone. Ending it twice does nothing."""
        if self._guard.stdin and not self._guard.stdin.closed:
            # A line, since a forked child of the owner may hold the pipe open as well.
            self._guard.stdin.write(b"\n")
            self._guard.stdin.close()
        self._guard.wait()


def _wait_until_listening(log: IO[bytes]) -> str:
    """Return anvil's greeting. It goes to a file: a pipe that nobody drains would block anvil."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        # not seek and read: the offset is shared with the writers, who would write over what is there
        text = os.pread(log.fileno(), _GREETING_BYTES, 0).decode(errors="replace")
        if _LISTENING.search(text) and _PID.search(text):
            return text
        if failure := _FAILED.search(text):
            raise NodeUnreachableError(
                f"anvil did not start: {failure[0].strip()}",
                needed="a running anvil",
                todo="Check its settings",
            )
        if time.monotonic() > deadline:
            raise NodeUnreachableError(
                f"anvil did not listen within {_START_TIMEOUT_S:g} s", todo="Check the machine's load"
            )
        time.sleep(_POLL_S)


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return match[1] if match else ""
