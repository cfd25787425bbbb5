"""Put the project's contracts on a network: ``ape run deploy --network ethereum:local:foundry``."""

from __future__ import annotations

import click
from ape import accounts, project
from ape.api import AccountAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractInstance

from scripts._toolchain import use_own_tools

use_own_tools()  # at import: ape connects to the network before it calls the command


def deploy_lens(deployer: AccountAPI) -> ContractInstance:
    """Deploy `Lens`, compiled by ape-solidity, and return it."""
    return deployer.deploy(project.get_contract("Lens"))


@click.command(cls=ConnectedProviderCommand)
@click.option(
    "--account", help="Alias of an ape account; without it, the first test account of a local network."
)
def cli(account: str | None) -> None:
    """Deploy the contracts and print where they stand."""
    deployer = accounts.load(account) if account else accounts.test_accounts[0]
    click.echo(f"Lens {deploy_lens(deployer).address}")
