"""Compile the contracts and write what the package ships of them: `onchain_exec/core/artifacts`.

Run by `make contracts`. The settings are those of the profile ``shipped`` of `foundry.toml`, the compiler
is its ``solc``; forge tests these artifacts. Output depends on the sources alone.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "onchain_exec" / "core" / "artifacts"
SHIPPED_FOLDERS = ("contracts", "contracts/mocks")  # interfaces and libraries have no code of their own
OUTPUTS = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "metadata",
]


def build_artifacts() -> dict[str, str]:
    """Return the JSON text of every artifact by contract name.

    Raises:
        SystemExit: the compiler reports an error, or a warning that ``foundry.toml`` does not ignore; its
            messages are the text.
    """
    profiles = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]
    profile = profiles["default"] | profiles["shipped"]
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "contracts").rglob("*.sol")}
    output = _compile(ROOT / profile["solc"], _standard_input(profile, sources))
    _require_clean(output.get("errors", ()), profile["ignored_error_codes"])
    names = {
        number: name for source in output["sources"].values() for number, name in _immutables(source["ast"])
    }
    return {
        name: _artifact(contract, sources, names)
        for path, contracts in sorted(output["contracts"].items())
        if str(Path(path).parent) in SHIPPED_FOLDERS
        for name, contract in contracts.items()
        if contract["evm"]["bytecode"]["object"]
    }


def _standard_input(profile: dict[str, Any], sources: dict[str, str]) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in sorted(sources.items())},
        "settings": {
            "evmVersion": profile["evm_version"],
            "viaIR": profile["via_ir"],
            "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
            "metadata": {"bytecodeHash": profile["bytecode_hash"]},
            "outputSelection": {"*": {"": ["ast"], "*": OUTPUTS}},
        },
    }


def _compile(compiler: Path, standard_input: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [compiler, "--standard-json"],
        input=json.dumps(standard_input),
        capture_output=True,
        text=True,
        check=True,
    )
    output: dict[str, Any] = json.loads(done.stdout)
    return output


def _require_clean(messages: Iterable[dict[str, Any]], ignored_codes: Sequence[int]) -> None:
    if kept := [message for message in messages if int(message.get("errorCode", 0)) not in ignored_codes]:
        sys.exit("\n".join(message["formattedMessage"] for message in kept))


def _immutables(node: Any) -> Iterator[tuple[int, str]]:
    """Yield by which number the compiler knows each immutable below a node of its tree, with its name."""
    if isinstance(node, list):
        for child in node:
            yield from _immutables(child)
    elif isinstance(node, dict):
        if node.get("mutability") == "immutable":
            yield node["id"], node["name"]
        yield from _immutables(list(node.values()))


def _artifact(contract: dict[str, Any], sources: dict[str, str], names: dict[int, str]) -> str:
    metadata = json.loads(contract["metadata"])
    digest = hashlib.sha256()
    for path in sorted(metadata["sources"]):  # the contract's own source and all that it imports
        digest.update(f"{path}\0{sources[path]}\0".encode())
    deployed = contract["evm"]["deployedBytecode"]
    offsets = {
        names[int(number)]: [place["start"] for place in places]
        for number, places in deployed["immutableReferences"].items()
    }
    fields = {
        "abi": contract["abi"],
        "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        "runtime_bytecode": "0x" + deployed["object"],
        "immutables": dict(sorted(offsets.items())),
        "source_sha256": digest.hexdigest(),
        "compiler": f"solc {metadata['compiler']['version']}",
    }
    return json.dumps(fields, indent=1) + "\n"


def main() -> None:
    """Write the artifacts, and delete those whose contract is gone."""
    artifacts = build_artifacts()
    ARTIFACTS.mkdir(exist_ok=True)
    for stale in ARTIFACTS.glob("*.json"):
        if stale.stem not in artifacts:
            stale.unlink()
    for name, text in artifacts.items():
        (ARTIFACTS / f"{name}.json").write_text(text)
    print(f"{len(artifacts)} artifacts: {', '.join(artifacts)}")


if __name__ == "__main__":
    main()
