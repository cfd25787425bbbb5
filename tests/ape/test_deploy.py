"""The deployment script through ape-foundry, compiled through ape-solidity."""

import ape
import pytest
from click.testing import CliRunner

from onchain_exec.app.registry import get_chain_profile
from onchain_exec.core.artifact import get_artifact
from onchain_exec.venues.balancer.pool import VAULT
from scripts.deploy import cli, deploy_lens, deploy_router

FIRST_CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
"""The address that the first transaction of the first test account creates."""


def _without_metadata(code: bytes) -> bytes:
    """Drop the compiler's trailer, whose length its last two bytes hold: it hashes the settings."""
    return code[: -2 - int.from_bytes(code[-2:], "big")]


@pytest.mark.parametrize("name", ["Guard", "Lens", "Router", "Sequence", "Settle", "Solver"])
def test_contract_compiled_by_ape_is_the_shipped_bytecode(name, project):
    compiled = bytes.fromhex(project.get_contract(name).contract_type.runtime_bytecode.bytecode[2:])
    assert _without_metadata(compiled) == _without_metadata(get_artifact(name).runtime_bytecode)


def test_deploy_lens_compiled_by_ape_is_the_shipped_bytecode(accounts):
    deployed = ape.chain.provider.get_code(deploy_lens(accounts[0]).address)
    assert _without_metadata(bytes(deployed)) == _without_metadata(get_artifact("Lens").runtime_bytecode)


def test_deploy_lens_asked_about_a_token_reverts(accounts, project):
    lens = deploy_lens(accounts[0])
    token = accounts[0].deploy(project.TestToken, "Dai Stablecoin", "DAI", 18)
    with ape.reverts():
        lens.getV3Pool(token.address, 0, 0)


def test_deploy_router_compiled_by_ape_is_the_shipped_bytecode_over_the_profiles_contracts(accounts):
    router = deploy_router(accounts[0], 1)
    deployed = bytes(ape.chain.provider.get_code(router.address))
    shipped = get_artifact("Router").runtime_bytecode
    assert len(_without_metadata(deployed)) == len(_without_metadata(shipped))
    permit2 = get_chain_profile(1).get_contract("permit2", "permit2")
    for built_for in (permit2, get_chain_profile(1).wrapped_native.address, VAULT):
        assert bytes.fromhex(built_for[2:]) in deployed  # immutables, zero in the artifact
    with ape.reverts():
        router.uniswapV3SwapCallback(1, 1, b"", sender=accounts[0])


def test_deploy_cli_on_a_fresh_chain_prints_where_the_lens_stands():
    done = CliRunner().invoke(cli, ["--network", "ethereum:local:foundry"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"Lens {FIRST_CONTRACT}\n" in done.output
