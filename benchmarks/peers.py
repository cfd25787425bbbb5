"""Other implementations, each in an environment of its own, made when it is first asked for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NODE_FOLDER = ROOT / ".cache" / "peers-npm"
PYTHON_PEERS = {"degenbot": ("degenbot==0.3.0",), "options": ("QuantLib==1.44", "vollib==1.0.11")}
NODE_PEERS = {"@balancer-labs/sor": "4.1.3", "@uniswap/v3-sdk": "3.31.5"}


def ask_python(peer: str, program: Path, request: Any) -> Any:
    """Return what ``program``, run by the peer's Python, prints as JSON for ``request`` on its stdin.

    Raises:
        CalledProcessError: the environment cannot be made, or the program failed.
    """
    return _ask([str(_python(peer)), str(program)], request)


def ask_node(program: Path, request: Any) -> Any:
    """Return what ``program``, run by Node beside the npm peers, prints as JSON for ``request``.

    Raises:
        CalledProcessError: the packages cannot be installed, or the program failed.
    """
    _install_node_peers()
    # A program resolves its imports from where it stands.
    return _ask(["node", str(shutil.copy(program, NODE_FOLDER))], request)


def _ask(command: list[str], request: Any) -> Any:
    done = subprocess.run(command, input=json.dumps(request), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _python(peer: str) -> Path:
    folder, requirements = ROOT / f".venv-peers-{peer}", PYTHON_PEERS[peer]
    python, stamp = folder / "bin" / "python", folder / ".ready"
    if not stamp.is_file() or stamp.read_text() != str(requirements):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", *requirements], check=True)
        stamp.write_text(str(requirements))
    return python


def _install_node_peers() -> None:
    manifest = json.dumps({"private": True, "dependencies": NODE_PEERS})
    stamp = NODE_FOLDER / ".ready"
    if not stamp.is_file() or stamp.read_text() != manifest:
        NODE_FOLDER.mkdir(parents=True, exist_ok=True)
        (NODE_FOLDER / "package.json").write_text(manifest)
        command = ["npm", "install", "--silent", "--ignore-scripts", "--no-package-lock"]
        subprocess.run(command, cwd=NODE_FOLDER, check=True)
        stamp.write_text(manifest)
