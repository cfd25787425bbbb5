"""Where the programs of the toolchain are: native binaries only, never a launcher script."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from onchain_exec.errors import ConfigError, MissingToolError

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_NATIVE_MAGICS = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ")
"""ELF, Mach-O, universal Mach-O, PE: what a launcher script does not start with."""


def find_tool(name: str) -> Path:
    """Return the native binary of a Foundry tool (``anvil``, ``forge``, ``cast``).

    Looked for in this order: the environment variable ``ONCHAIN_EXEC_<NAME>``; ``node_modules`` of
    the working directory and of its parents; ``node_modules`` beside this package; ``PATH``. The
    npm launcher is never taken: it starts the tool as a child that outlives a kill.

    Raises:
        ConfigError: the environment variable names no file.
        MissingToolError: found nowhere.
    """
    variable = f"ONCHAIN_EXEC_{name.upper()}"
    if chosen := os.environ.get(variable):
        if not Path(chosen).is_file():
            raise ConfigError(f"{variable} names {chosen!r}, which is no file", needed=f"the {name} binary")
        return Path(chosen)
    for candidate in _candidates(name):
        if _is_native(candidate):
            return candidate.resolve()
    raise MissingToolError(
        f"{name} is not installed",
        needed=f"the native {name} binary",
        todo=f"Run `npm install @foundry-rs/{name}` or set {variable} to the binary",
    )


def _candidates(name: str) -> Iterator[Path]:
    system = platform.system().lower()
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    inside = Path("node_modules", "@foundry-rs", f"{name}-{system}-{machine}", "bin", name)
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[2]):
        yield folder / inside
    for directory in os.get_exec_path():
        if found := shutil.which(name, path=directory):
            yield Path(found)


def _is_native(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(_NATIVE_MAGICS)
    except OSError:
        return False
