"""Solidity that is compiled for a test: stand-ins of this project, and contracts on published sources."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path

from onchain_exec.app.sandbox.packages import get_package_path

ROOT = Path(__file__).parents[2]
STAND_INS = "contracts/mocks/pools/{}.sol"
_IMPORT = re.compile(r'^import [^"]*"([^"]+)"', re.MULTILINE)


@cache
def compile_stand_in(name: str) -> bytes:
    """Return the creation code of a contract in ``contracts/mocks/pools``."""
    path = STAND_INS.format(name)
    return compile_source(path, name, (ROOT / path).read_text())


@cache
def compile_source(path: str, name: str, text: str) -> bytes:
    """Return the creation code of contract ``name`` in ``text``, which stands at ``path``.

    What it imports is found beside it, or as ``package/...`` in the packages of the protocols.
    """
    sources = {path: {"content": text}}
    wanted = _list_imports(path, text)
    while wanted:
        found = wanted.pop()
        if found not in sources:
            imported = _locate(found).read_text()
            sources[found] = {"content": imported}
            wanted += _list_imports(found, imported)
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
