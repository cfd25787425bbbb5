"""The command line as a user runs it, on one chain and one journal."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from onchain_exec.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a run printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Cli:
    """The command line on one node and one journal; no configuration of this machine leaks in."""

    rpc_url: str
    journal: Path

    def run(self, *arguments: str, **environment: str) -> Done:
        """Run the command in this process, which saves the second that its imports take, without an answer
        on stdin."""
        out, err = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self._environment(environment), clear=True),
            patch.object(sys, "argv", ["onchain-exec", *arguments]),
            patch.object(sys, "stdin", io.StringIO()),
            chdir(self.journal.parent),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    def run_process(self, *arguments: str, **environment: str) -> Done:
        """Run the command in a process of its own, without a terminal or an answer on stdin."""
        done = subprocess.run(
            [sys.executable, "-m", "onchain_exec.cli", *arguments],
            env=self._environment(environment),
            cwd=self.journal.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str, expect: int = 0, **environment: str) -> Any:
        """Run with --json, hold the exit code, and return the one document on stdout."""
        done = self.run(*arguments, "--json", **environment)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def _environment(self, given: dict[str, str]) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ONCHAIN_EXEC_")}
        return (
            clean | {"ONCHAIN_EXEC_RPC_URL": self.rpc_url, "ONCHAIN_EXEC_JOURNAL": str(self.journal)} | given
        )
