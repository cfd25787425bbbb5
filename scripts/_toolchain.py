"""Point ape's plugins at the tools of this repository: they look in PATH and in the home folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from onchain_exec.chain.tools import find_tool


def use_own_tools() -> None:
    """Make ape-foundry start our anvil, and ape-solidity compile with `solc.js`, without a download.

    Raises:
        MissingToolError: anvil is not installed.
    """
    os.environ["SOLCX_BINARY_PATH"] = str(Path(__file__).parent / "_solcx")
    environment = str(Path(sys.executable).parent)  # where make puts Node if the machine has none
    searched = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([str(find_tool("anvil").parent), searched, environment])
