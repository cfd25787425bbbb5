"""Solidity that is compiled for a test: stand-ins of this project, and contracts on published sources."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from onchain_exec.app.sandbox.packages import get_package_path

ROOT = Path(__file__).parents[2]
_IMPORT = re.compile(r'^import [^"]*"([^"]+)"', re.MULTILINE)


def compile_stand_in(name: str) -> bytes:
    """Return the creation code of a contract in ``contracts/mocks/pools``."""
    return compile_source(f"contracts/mocks/pools/{name}.sol")


@cache
def compile_source(path: str) -> bytes:
    """Return the creation code of the contract that the file at ``path`` is named after.

    What it imports is found beside it, or as ``package/...`` in the packages of the protocols.
    """
    name, sources, wanted = Path(path).stem, dict[str, Any](), [path]
    while wanted:
        found = wanted.pop()
        if found not in sources:
            text = _locate(found).read_text()
            sources[found] = {"content": text}
            wanted += _list_imports(found, text)
    settings = {
        "evmVersion": "cancun",
        "outputSelection": {path: {name: ["evm.bytecode.object"]}},
    }
    request = json.dumps({"language": "Solidity", "sources": sources, "settings": settings})
    command = ["node", str(ROOT / "scripts/solc.js"), "--standard-json"]
    done = subprocess.run(command, input=request, capture_output=True, text=True, check=True, cwd=ROOT)
    output = json.loads(done.stdout)
    assert "contracts" in output, output["errors"]
    return bytes.fromhex(output["contracts"][path][name]["evm"]["bytecode"]["object"])


def _list_imports(path: str, text: str) -> list[str]:
    """Return what ``text`` imports, by the names that the compiler asks for."""
    folder = Path(path).parent
    return [
        str((ROOT / folder / name).resolve().relative_to(ROOT)) if name.startswith(".") else name
        for name in _IMPORT.findall(text)
    ]


def _locate(name: str) -> Path:
    scope = re.match(r"(@[^/]+/[^/]+)/(.*)", name)
    return get_package_path(scope[1]) / scope[2] if scope else ROOT / name
