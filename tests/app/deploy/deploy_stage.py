"""A deployment on a test's own chain: its context, its terms, its folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.deploy.blueprints import Blueprint, list_blueprints
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.app.desk import ignore
from onchain_exec.app.path.context import Context, Observer, Policy
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.core import Address, to_address
from onchain_exec.execution import LocalSigner

GUARDIAN: Final = to_address("0x" + "ab" * 20)
TERMS: Final = Terms(GUARDIAN, 1_900_000_000, 2_000_000_000)


@dataclass
class DeployStage:
    """The sandbox has Guard and Router at their addresses and a Settle of other terms: Lens and Settle are
    missing."""

    sandbox: Sandbox
    folder: Path

    @asynccontextmanager
    async def open(self, observe: Observer = ignore) -> AsyncIterator[Context]:
        """Open the desk's parts on the one journal of this stage, as a process would that starts."""
        signer = LocalSigner(self.sandbox.trader.key, chain_id=self.sandbox.chain.chain_id)
        opening = Opening(
            self.sandbox.url,
            lambda _: signer,
            self.folder / "journal.sqlite",
            Policy(),
            observe,
            self.sandbox.profile,
        )
        async with AsyncExitStack() as resources:
            yield await opening.open(resources)

    @property
    def blueprints(self) -> tuple[Blueprint, ...]:
        """What is to stand in the end."""
        profile = self.sandbox.profile
        return list_blueprints(profile.wrapped_native.address, profile.protocols, TERMS)

    def get_code(self, address: Address) -> bytes:
        """Return what stands there."""
        return bytes.fromhex(self.sandbox.chain.request("eth_getCode", address, "latest")[2:])

    @property
    def nonce(self) -> int:
        """How many transactions the trader has sent."""
        answer: str = self.sandbox.chain.request(
            "eth_getTransactionCount", self.sandbox.trader.address, "latest"
        )
        return int(answer, 16)

    def get_gas(self, tx_hash: str) -> int:
        """Return the gas that a mined transaction used."""
        return int(self.sandbox.chain.request("eth_getTransactionReceipt", tx_hash)["gasUsed"], 16)
