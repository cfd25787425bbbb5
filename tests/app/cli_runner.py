"""The command line as a user runs it: in a process of its own, on one chain and one journal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cli:
    """The command line in a process of its own, on one chain and one journal."""

    rpc_url: str
    journal: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command as a user would; no configuration of this machine leaks in."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("ONCHAIN_EXEC_")}
        defaults = {"ONCHAIN_EXEC_RPC_URL": self.rpc_url, "ONCHAIN_EXEC_JOURNAL": str(self.journal)}
        return subprocess.run(
            [sys.executable, "-m", "onchain_exec.cli", *arguments],
            env=clean | defaults | environment,
            cwd=self.journal.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str, expect: int = 0, **environment: str) -> Any:
        """Run with --json, hold the exit code, and return the one document on stdout."""
        done = self.run(*arguments, "--json", **environment)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)
