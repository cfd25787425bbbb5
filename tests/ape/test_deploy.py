"""The deployment script through ape-foundry, compiled through ape-solidity."""

import asyncio

import ape
import pytest
from click.testing import CliRunner

from onchain_exec.app.deploy.blueprints import Blueprint
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.core import to_address
from onchain_exec.core.artifact import get_artifact
from scripts.deploy import cli, deploy_with

LENS = Blueprint("Lens").address


def _without_metadata(code: bytes) -> bytes:
    """Drop the compiler's trailer, whose length its last two bytes hold: it hashes the settings."""
    return code[: -2 - int.from_bytes(code[-2:], "big")]


@pytest.mark.parametrize("name", ["Guard", "Lens", "Router", "Sequence", "Settle", "Solver"])
def test_contract_compiled_by_ape_is_the_shipped_bytecode(name, project):
    compiled = bytes.fromhex(project.get_contract(name).contract_type.runtime_bytecode.bytecode[2:])
    assert _without_metadata(compiled) == _without_metadata(get_artifact(name).runtime_bytecode)


def test_deploy_with_an_account_of_ape_deploys_what_the_chain_can_have(accounts, tmp_path):
    terms = Terms(to_address(accounts[1].address), 1_900_000_000, 2_000_000_000)
    journal = str(tmp_path / "journal.sqlite")
    outcome = asyncio.run(deploy_with(accounts[0], terms, journal, tmp_path))
    assert [one.name for one in outcome.survey.deployed] == ["Lens", "Guard", "Settle"]
    assert "Router" in outcome.survey.left_out  # a bare chain has no Permit2
    assert bytes(ape.chain.provider.get_code(LENS)) == get_artifact("Lens").runtime_bytecode
    again = asyncio.run(deploy_with(accounts[0], terms, journal, tmp_path))
    assert again.orders == ()


def test_lens_asked_about_what_is_no_pool_reverts(accounts, project):
    lens = accounts[0].deploy(project.Lens)
    with ape.reverts():
        lens.getV3Pool(lens.address, 0, 0)


def test_deploy_cli_on_a_bare_chain_prints_what_stands_and_what_is_left_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["--network", "ethereum:local:foundry"], catch_exceptions=False)
    assert done.exit_code == 0
    assert f"Lens {LENS}\n" in done.output
    assert "Router left out: the chain has no" in done.output
    assert [path.suffix for path in (tmp_path / "onchain-exec-deployments").iterdir()] == [".json"]
