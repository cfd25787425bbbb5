"""``doctor``: what is installed, which node answers, and what is missing."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

import typer

from onchain_exec.app.configuration.endpoints import open_configured_rpc
from onchain_exec.app.configuration.journals import open_journal
from onchain_exec.app.configuration.opening import make_signer
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.sandbox.packages import find_missing_packages
from onchain_exec.chain import EndpointPool, Node, find_tool
from onchain_exec.chain import Rpc as NodeRpc
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import JournalPath, Json, Rpc
from onchain_exec.cli.printing.output import print_json, print_table
from onchain_exec.errors import OnchainExecError

_PACKAGES = (
    "onchain-exec",
    "web3",
    "eth-account",
    "eth-abi",
    "coincurve",
    "aiohttp",
    "sqlalchemy",
    "numpy",
    "scipy",
    "highspy",
)
_OPTIONAL = ("eth-ape", "eth-tester", "pyrevm", "py-solc-x")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``status`` is ok, missing (optional, or needed only locally) or failed."""

    what: str
    status: str
    found: str
    todo: str = ""


def doctor(rpc: Rpc = None, journal: JournalPath = None, as_json: Json = False) -> None:
    """Look at the installation, the configuration, the node and the journal. Ends with 4 if one fails."""
    findings = [
        Finding("python", "ok", platform.python_version()),
        *(_package(name, "failed") for name in _PACKAGES if name not in ("web3",)),
        *(_package(name, "missing") for name in ("web3", *_OPTIONAL)),
        *(_try(name, partial(_find_tool, name), "missing") for name in ("anvil", "forge")),
        _protocols(),
        _try("journal", lambda: _journal(journal), "failed"),
        *asyncio.run(_node(rpc)),
    ]
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        print_table(
            "Doctor", ("What", "Status", "Found", "To do"), [tuple(asdict(f).values()) for f in findings]
        )
    raise typer.Exit(Exit.FAILED if any(f.status == "failed" for f in findings) else Exit.DONE)


def _find_tool(name: str) -> str:
    return str(find_tool(name))


def _package(name: str, if_absent: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, if_absent, "not installed", f"pip install {name}")


def _try(what: str, look: Callable[[], str], if_failing: str) -> Finding:
    try:
        return Finding(what, "ok", look())
    except OnchainExecError as error:
        return Finding(what, if_failing, error.found, error.todo)


def _protocols() -> Finding:
    missing = find_missing_packages()
    if not missing:
        return Finding("protocol packages", "ok", "all present")
    return Finding(
        "protocol packages",
        "missing",
        ", ".join(package.name for package in missing),
        "make setup (only the local chain needs them)",
    )


def _journal(path: str | None) -> str:
    where = load_settings(journal=path).journal
    url = urlsplit(where)
    shown = f"{url.scheme} at {url.hostname}" if url.netloc else where  # a URL may hold a password
    if not url.netloc and not Path(where).exists():
        return f"{shown} (not made yet)"
    with open_journal(path) as opened:
        return f"{shown}: {len(opened.read_orders())} orders"


async def _node(rpc: str | None) -> list[Finding]:
    settings = load_settings(rpc_url=rpc)
    if not (settings.rpc_url or settings.endpoints):
        return [Finding("node", "missing", "no URL is set", "Pass --rpc or set ONCHAIN_EXEC_RPC_URL")]
    try:
        reached = open_configured_rpc(settings)
    except OnchainExecError as error:
        return [Finding("node", "failed", error.found, error.todo or error.needed)]
    try:
        node = await Node.connect(reached, chain_id=settings.chain_id)
    except OnchainExecError as error:
        return [Finding("node", "failed", error.found, error.todo), *_endpoints(reached)]
    try:
        block = await node.get_block("latest")
        client = await node.rpc.request("web3_clientVersion")
        signer = make_signer(settings, node.chain_id)
        return [
            Finding("node", "ok", f"{client}, chain {node.chain_id}, block {block.number}"),
            Finding("signer", "ok", signer.address)
            if signer
            else Finding("signer", "missing", "none: this desk can only look", "Set ONCHAIN_EXEC_KEYSTORE"),
            *_endpoints(reached),
        ]
    except OnchainExecError as error:
        return [Finding("node", "failed", error.found, error.todo), *_endpoints(reached)]
    finally:
        await node.close()


def _endpoints(reached: NodeRpc) -> list[Finding]:
    """Say in which state each endpoint of a pool is; private ones are never asked anything."""
    members = reached.members if isinstance(reached, EndpointPool) else ()
    return [
        Finding("endpoint", "ok" if member.is_usable else "failed", f"{member.where}: {member.summary}")
        for member in members
    ]
