"""The shorts of an account at Lyra, through the contracts that a chain's profile lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from onchain_exec.app.configuration.registry import ChainProfile
from onchain_exec.core import Address, Reading
from onchain_exec.errors import ConfigError
from onchain_exec.venues.collateral import CollateralAccount
from onchain_exec.venues.options.lyra.account import read_lyra_shorts
from onchain_exec.venues.options.lyra.state import Contracts


def read_shorts(profile: ChainProfile, owner: Address) -> Reading[Iterable[CollateralAccount[Any]]]:
    """Return how the shorts are read, each an account of its own.

    Raises:
        ConfigError: the profile does not list all contracts of the market.
    """
    return read_lyra_shorts(_get_contracts(profile), owner)


def _get_contracts(profile: ChainProfile) -> Contracts:
    """Return the market's contracts, by the names of `Contracts` as roles."""
    found = {role.name: profile.get_contract("lyra", role.name) for role in fields(Contracts)}
    if missing := [role for role, contract in found.items() if contract is None]:
        raise ConfigError(
            f"the chain {profile.name} lists no lyra {', '.join(missing)}",
            needed="all contracts of the market",
        )
    return Contracts(**{role: contract for role, contract in found.items() if contract is not None})
