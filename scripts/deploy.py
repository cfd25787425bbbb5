"""Put the project's contracts on a network: ``ape run deploy --network ethereum:local:foundry``."""

from __future__ import annotations

import click
from ape import accounts, project
from ape.api import AccountAPI
from ape.cli import ConnectedProviderCommand
from ape.contracts import ContractInstance

from onchain_exec.app.registry import get_chain_profile
from onchain_exec.errors import ConfigError
from onchain_exec.venues.balancer.pool import VAULT
from scripts._toolchain import use_own_tools

use_own_tools()  # at import: ape connects to the network before it calls the command


def deploy_lens(deployer: AccountAPI) -> ContractInstance:
    """Deploy `Lens`, compiled by ape-solidity, and return it."""
    return deployer.deploy(project.get_contract("Lens"))


def deploy_router(deployer: AccountAPI, chain_id: int) -> ContractInstance:
    """Deploy `Router` over the contracts that the chain's profile lists, and return it.

    Raises:
        ConfigError: the chain is not known, or lists no Permit2 or PoolManager.
    """
    profile = get_chain_profile(chain_id)
    built_for = [
        profile.get_contract("permit2", "permit2"),
        profile.wrapped_native.address,
        profile.get_contract("uniswap_v4", "pool_manager"),
        profile.get_contract("balancer_v2", "vault") or VAULT,
    ]
    if None in built_for:
        raise ConfigError(
            f"{profile.name} does not list all that the Router is built for",
            needed="permit2.permit2 and uniswap_v4.pool_manager",
        )
    return deployer.deploy(project.get_contract("Router"), *built_for)


@click.command(cls=ConnectedProviderCommand)
@click.option(
    "--account", help="Alias of an ape account; without it, the first test account of a local network."
)
@click.option(
    "--router-for", type=int, help="Also deploy the Router, over what the profile of this chain id lists."
)
def cli(account: str | None, router_for: int | None) -> None:
    """Deploy the contracts and print where they stand; list the Router in the chain's profile then."""
    deployer = accounts.load(account) if account else accounts.test_accounts[0]
    click.echo(f"Lens {deploy_lens(deployer).address}")
    if router_for is not None:
        click.echo(f"Router {deploy_router(deployer, router_for).address}")
