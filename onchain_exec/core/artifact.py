"""Compiled contracts of this project, shipped with the package."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from onchain_exec.errors import InputError


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract as the compiler gave it.

    ``bytecode`` deploys it (constructor arguments are appended), ``runtime_bytecode`` is what then
    stands at its address; immutables are zero in it, and ``immutables`` tells by their names at which bytes
    their words begin. ``source_sha256`` is over the contract's source and all it imports: for each path
    in order, path, NUL, text, NUL.
    """

    name: str
    abi: tuple[dict[str, Any], ...]
    bytecode: bytes
    runtime_bytecode: bytes
    immutables: Mapping[str, tuple[int, ...]]
    source_sha256: str
    compiler: str


@cache
def get_artifact(name: str) -> Artifact:
    """Return the artifact of the contract ``name``, for example ``Lens``.

    Raises:
        InputError: no such contract is shipped.
    """
    folder = files("onchain_exec.core").joinpath("artifacts")
    known = {entry.name.removesuffix(".json"): entry for entry in folder.iterdir()}
    if name not in known:
        raise InputError(f"no contract named {name!r}", needed=f"one of {', '.join(sorted(known))}")
    fields = json.loads(known[name].read_text())
    return Artifact(
        name=name,
        abi=tuple(fields["abi"]),
        bytecode=bytes.fromhex(fields["bytecode"][2:]),
        runtime_bytecode=bytes.fromhex(fields["runtime_bytecode"][2:]),
        immutables={variable: tuple(offsets) for variable, offsets in fields["immutables"].items()},
        source_sha256=fields["source_sha256"],
        compiler=fields["compiler"],
    )
