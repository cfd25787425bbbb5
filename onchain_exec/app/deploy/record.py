"""What was deployed where, written down: one file for each chain, which every desk reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.app.deploy.blueprints import OWN, Blueprint
from onchain_exec.app.deploy.create2 import PROXY, SALT
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.core import to_address
from onchain_exec.errors import AddressError, ConfigError


def add_deployed(profile: ChainProfile, folder: Path) -> ChainProfile:
    """Return the profile with our contracts that the chain's file lists; what the profile lists itself
    stays.

    Raises:
        ConfigError: the file cannot be read, or is of another chain.
    """
    addresses = {role: facts["address"] for role, facts in _read(profile.chain_id, folder).items()}
    own = {**addresses, **profile.protocols.get(OWN, {})}
    return replace(profile, protocols={**profile.protocols, OWN: own}) if own else profile


def read_terms(chain_id: int, folder: Path) -> Terms | None:
    """Return what the chain's Settle was built with, or None where its file lists none.

    Raises:
        ConfigError: as of `add_deployed`.
    """
    contracts = _read(chain_id, folder)
    if "settle" not in contracts:
        return None
    with _damage_told(_get_path(chain_id, folder)):
        built = contracts["settle"]["arguments"]
        owner = contracts.get("solver", {}).get("arguments", {}).get("owner_")
        return Terms(
            guardian=to_address(built["guardian"]),
            guardian_until=built["guardianUntil"],
            sunset_at=built["sunsetAt"],
            solver_owner=None if owner is None else to_address(owner),
        )


def write_record(chain_id: int, folder: Path, deployed: Iterable[Blueprint]) -> Path:
    """Write the chain's file anew, all of it or nothing, and return its path. Contracts that it listed
    and that are not ``deployed`` now stay listed."""
    contracts = _read(chain_id, folder)
    contracts |= {
        blueprint.role: {
            "address": blueprint.address,
            "arguments": dict(blueprint.arguments),
            "source_sha256": blueprint.artifact.source_sha256,
        }
        for blueprint in deployed
    }
    record = {"chain_id": chain_id, "proxy": PROXY, "salt": "0x" + SALT.hex(), "contracts": contracts}
    path = _get_path(chain_id, folder)
    require_writable(folder)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    draft.replace(path)
    return path


def require_writable(folder: Path) -> None:
    """Make the folder of the chains' files if it is not there, and try whether it can be written to.

    Raises:
        ConfigError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"{folder.absolute()} cannot be written to: {error.strerror}",
            needed="a folder for the file that lists the contracts",
            todo="Name one by ONCHAIN_EXEC_DEPLOYMENTS",
        ) from error


def _get_path(chain_id: int, folder: Path) -> Path:
    return folder / f"{chain_id}.json"


def _read(chain_id: int, folder: Path) -> dict[str, Mapping[str, Any]]:
    path = _get_path(chain_id, folder)
    if not path.exists():
        return {}
    with _damage_told(path):
        record = json.loads(path.read_text("utf-8"))
        if record["chain_id"] != chain_id:
            raise ConfigError(f"{path} is of chain {record['chain_id']}", needed=f"chain {chain_id}")
        return {
            role: {**facts, "address": to_address(facts["address"])}
            for role, facts in record["contracts"].items()
        }


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError, AttributeError, AddressError) as error:
        raise ConfigError(
            f"{path} cannot be read: {type(error).__name__}",
            needed="what `onchain-exec deploy` wrote",
            todo="Move it away and deploy again: what stands already is found and listed",
        ) from error
