"""Deployed chains on disk, so that only the first start deploys."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from onchain_exec.app.sandbox.deployment import Deployment
from onchain_exec.chain import find_tool
from onchain_exec.core.artifact import get_artifact

ROOT_VARIABLE = "ONCHAIN_EXEC_CACHE"
_STATE, _MANIFEST = "state.json", "manifest.json"
_OWN = ("TestToken", "V3Provider", "Router", "Guard", "Settle", "Solver")
_KEPT = 3  # of 5 MB each: this code's, and those of other versions that may run beside it


def get_cache_root() -> Path:
    """Return where deployed chains are kept: ``ONCHAIN_EXEC_CACHE``, else ``.cache`` in the
    repository this file is part of, else the user's cache folder."""
    if chosen := os.environ.get(ROOT_VARIABLE):
        return Path(chosen)
    repository = Path(__file__).parents[3]
    if (repository / "pyproject.toml").is_file():
        return repository / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "onchain-exec"


def get_deployed(root: Path, deploy: Callable[[Path], Deployment]) -> tuple[Path, Deployment]:
    """Return the dumped state's file and its deployment, calling ``deploy(state file)`` if there is
    none yet. Of several processes one deploys and the others wait."""
    root.mkdir(parents=True, exist_ok=True)
    folder = _folder(root)
    if not folder.is_dir():
        with _locked(root / f"{folder.name}.lock"):
            if not folder.is_dir():
                with tempfile.TemporaryDirectory(dir=root) as scratch:
                    complete = Path(scratch) / folder.name
                    complete.mkdir()
                    manifest = deploy(complete / _STATE).to_json()
                    (complete / _MANIFEST).write_text(json.dumps(manifest, indent=1))
                    complete.rename(folder)
                _drop_superseded(root)
    return folder / _STATE, _read_manifest(folder / _MANIFEST)


def read_deployment(root: Path | None = None) -> Deployment | None:
    """Return the deployment that chains started with this code have, or None before the first start."""
    manifest = _folder(root or get_cache_root()) / _MANIFEST
    return _read_manifest(manifest) if manifest.is_file() else None


def get_fingerprint() -> str:
    """Return a hash of all that a deployed chain follows from: this package's code and pins, our
    contracts' bytecode, and anvil."""
    digest = hashlib.sha256(b"".join(get_artifact(name).bytecode for name in _OWN))
    for package in ("onchain_exec.app.sandbox", "onchain_exec.app.deploy", "onchain_exec.chain.local"):
        for file in _files(resources.files(package)):
            digest.update(file.read_bytes())
    digest.update(subprocess.run([find_tool("anvil"), "--version"], check=True, capture_output=True).stdout)  # noqa: S603 - our own tool
    return digest.hexdigest()[:16]


def _folder(root: Path) -> Path:
    return root / f"sandbox-{get_fingerprint()}"


def _read_manifest(path: Path) -> Deployment:
    return Deployment.from_json(json.loads(path.read_text()))


def _drop_superseded(root: Path) -> None:
    folders = sorted(root.glob("sandbox-*/"), key=lambda folder: folder.stat().st_mtime)
    for folder in folders[:-_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _files(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry)
        elif entry.name.endswith((".py", ".json")):
            yield entry


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
