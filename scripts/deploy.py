"""Deploy the contracts with an account of ape: ``ape run deploy --network ethereum:mainnet:node``.

The same as ``onchain-exec deploy``, but for who signs and which node is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
from ape import accounts, networks
from ape.api import AccountAPI
from ape.cli import ConnectedProviderCommand

from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.deploy.deployment import Outcome, deploy, describe_chain
from onchain_exec.app.deploy.record import read_terms
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.app.desk import ignore
from onchain_exec.app.path.context import Policy
from onchain_exec.core import Address, to_address
from onchain_exec.errors import SignerError
from onchain_exec.execution import Capability, Signature, UnsignedTx
from scripts._toolchain import use_own_tools

use_own_tools()  # at import: ape connects to the network before it calls the command


class ApeSigner:
    """An account of ape as one of our signers. Ape asks its user where it has to."""

    capabilities = frozenset({Capability.TRANSACTION})

    def __init__(self, account: AccountAPI) -> None:
        self._account = account

    @property
    def address(self) -> Address:
        """The account."""
        return to_address(self._account.address)

    async def sign_transaction(self, tx: UnsignedTx) -> Signature:
        """Return the account's signature of exactly these fields.

        Raises:
            SignerError: the user refused.
        """
        priced: dict[str, int] = {
            "max_fee": tx.fees.max_fee_wei,
            "max_priority_fee": tx.fees.max_priority_fee_wei,
        }
        unsigned = networks.provider.network.ecosystem.create_transaction(
            chain_id=tx.chain_id,
            nonce=tx.nonce,
            to=tx.to,
            value=tx.value_wei,
            data=tx.data,
            gas_limit=tx.gas_limit,
            **({"gas_price": tx.fees.max_fee_wei} if tx.fees.legacy else priced),
        )
        signed = self._account.sign_transaction(unsigned)
        if signed is None or signed.signature is None:
            raise SignerError(f"{self._account.alias or self.address} signed nothing", needed="a signature")
        v, r, s = signed.signature
        return Signature(int.from_bytes(r), int.from_bytes(s), (v - 27) % 2 if v in (27, 28) else v % 2)

    async def sign_typed_data(self, message: Mapping[str, Any]) -> Signature:
        """Deployments sign no messages.

        Raises:
            SignerError: always.
        """
        raise SignerError("this signer signs no messages", needed="a transaction")


async def deploy_with(account: AccountAPI, terms: Terms | None, journal: str, folder: Path) -> Outcome:
    """Deploy on the network that ape is connected to; see `onchain_exec.app.deploy.deployment.deploy`."""
    provider = networks.provider
    async with AsyncExitStack() as resources:
        opening = Opening(
            provider.uri,
            lambda _: ApeSigner(account),
            journal,
            Policy(),
            ignore,
            describe_chain(provider.chain_id),
            deployments=folder,
        )
        return await deploy(await opening.open(resources), terms, folder)


@click.command(cls=ConnectedProviderCommand)
@click.option("--account", help="Alias of an ape account; without it, the first test account.")
@click.option("--guardian", help="Settle: who may stop settlements for two weeks.")
@click.option("--guardian-until", help="Settle: the day (UTC) from which it may not.")
@click.option("--sunset", help="Settle: the day (UTC) from which nothing settles.")
@click.option("--solver-owner", help="Solver: who alone may use it.")
def cli(account: str | None, **options: str | None) -> None:
    """Deploy our contracts, verify them, and list them where every desk looks."""
    settings = load_settings()
    terms = Terms.parse(**options) or read_terms(networks.provider.chain_id, settings.deployments)
    deployer = accounts.load(account) if account else accounts.test_accounts[0]
    outcome = asyncio.run(deploy_with(deployer, terms, settings.journal, settings.deployments))
    for blueprint in outcome.survey.deployed:
        click.echo(f"{blueprint.name} {blueprint.address}")
    for name, reason in outcome.survey.left_out.items():
        click.echo(f"{name} left out: {reason}")
    if outcome.survey.missing:
        names = ", ".join(blueprint.name for blueprint in outcome.survey.missing)
        raise click.ClickException(f"not deployed: {names}; the same command again goes on")
