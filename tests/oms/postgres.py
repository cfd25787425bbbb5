"""A real PostgreSQL for tests, from the binaries of the package ``pgserver``."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg

_WHILE_READ: Final = '"$@" & read -r _; kill -QUIT $!; wait $!'
"""A shell command: run the arguments until our end of the pipe closes, in whatever way we end."""


@contextmanager
def run_postgres(*, fsync: bool = False) -> Iterator[str]:
    """Yield the URL of an empty server, with a place for the name of a database.

    It listens on a socket in its own folder. It refuses to be root: then it is ``nobody``, who may
    not be able to read this environment and gets a copy of the binaries. Without ``fsync`` it
    survives any end of a process, not of the machine.
    """
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        packages, user = _find_packages(), None
        (data := folder / "data").mkdir(mode=0o700)
        if os.geteuid() == 0:
            for name in ("pgserver", "pgserver.libs"):
                shutil.copytree(packages / name, folder / name)
            packages, user = folder, "nobody"
            folder.chmod(0o755)
            shutil.chown(data, user)
        binaries = packages / "pgserver" / "pginstall" / "bin"
        options = ["--auth=trust", "--encoding=utf8", "--username=postgres", "--no-sync"]
        with _run(user, binaries / "initdb", "-D", data, *options) as initdb:
            assert initdb.wait(60) == 0
        settings = ("-c", "listen_addresses=", "-c", f"fsync={'on' if fsync else 'off'}")
        command = (binaries / "postgres", "-D", data, "-k", data, *settings)
        with _run(user, "sh", "-c", _WHILE_READ, "sh", *command) as server:
            _wait_until_up(server, f"postgresql://postgres@/postgres?host={data}")
            yield f"postgresql+psycopg://postgres@/{{}}?host={data}"
    finally:
        shutil.rmtree(folder)


def make_database(template: str, name: str) -> str:
    """Make an empty database on the server and return its URL."""
    plain = template.format("postgres").replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return template.format(name)


def _find_packages() -> Path:
    found = importlib.util.find_spec("pgserver")
    assert found
    assert found.origin
    return Path(found.origin).parents[1]


def _run(user: str | None, *command: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(word) for word in command],
        user=user,
        extra_groups=[] if user else None,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait_until_up(server: subprocess.Popen[bytes], url: str) -> None:
    ends_at = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > ends_at:
                raise
            time.sleep(0.02)
        else:
            return
