"""Contracts that were deployed one by one, called by the names of their artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from onchain_exec.app.sandbox.artifacts import Contract
from onchain_exec.app.sandbox.evm import DEPLOYER, Evm
from onchain_exec.core import Address, to_address


@dataclass(frozen=True, slots=True)
class Deployed:
    """Contracts and where they stand, by the role that each plays; the deployer owns them."""

    evm: Evm
    contracts: dict[str, Contract] = field(default_factory=dict)
    at: dict[str, Address] = field(default_factory=dict)

    def deploy(
        self,
        role: str,
        contract: Contract,
        *arguments: Any,
        libraries: Mapping[str, Address] | None = None,
    ) -> Address:
        """Create a contract of that role and return where it stands."""
        self.contracts[role] = contract
        self.at[role] = self.evm.deploy(contract.creation_code(*arguments, libraries=libraries))
        return self.at[role]

    def encode(self, role: str, function: str, *arguments: Any) -> bytes:
        """Return calldata; see `Contract.encode_call`."""
        return self.contracts[role].encode_call(function, *arguments)

    def call(self, role: str, function: str, *arguments: Any, sender: Address = DEPLOYER) -> None:
        """Make a call whose changes stay."""
        self.evm.call(sender, self.at[role], self.encode(role, function, *arguments))

    def ask(self, role: str, function: str, *arguments: Any) -> bytes:
        """Return the raw answer of a call that changes nothing."""
        return self.evm.static_call(self.at[role], self.encode(role, function, *arguments))

    def ask_address(self, role: str, function: str, *arguments: Any) -> Address:
        """Return the address that a call answers."""
        return to_address(self.ask(role, function, *arguments)[-20:])
