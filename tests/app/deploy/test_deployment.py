"""Deploying to a chain: each contract once, whatever stops it, and nothing where something is wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from cli_runner import Cli
from deploy_stage import TERMS, DeployStage

from onchain_exec.app.deploy.create2 import PROXY, PROXY_CODE, PROXY_CREATOR, PROXY_PRICE_WEI
from onchain_exec.app.deploy.deployment import deploy, foresee, place_proxy, survey
from onchain_exec.app.deploy.record import add_deployed, read_terms
from onchain_exec.app.path.context import Step
from onchain_exec.app.sandbox.sandbox import Sandbox
from onchain_exec.errors import ConfigError, GasError, WrongCodeError
from onchain_exec.oms import OrderState

STEPS = (Step.ACCEPTED, Step.BUILT, Step.LEASED, Step.SIGNED, Step.JOURNALLED, Step.SENT, Step.CONFIRMED)
GATE = (Step.LEASED, Step.JOURNALLED)


class StoppedError(BaseException):
    """The process ends here: nothing of ours catches it."""


async def test_deploy_deploys_what_is_missing_once_and_lists_all_of_it(stage: DeployStage) -> None:
    before, terms = stage.nonce, replace(TERMS, solver_owner=stage.sandbox.trader.address)
    async with stage.open() as context:
        planned = await foresee(context, await survey(context, terms))
        outcome = await deploy(context, terms, stage.folder)
        names = [blueprint.name for blueprint in outcome.survey.deployed]
        assert names == ["Lens", "Guard", "Router", "Settle", "Solver"]
        assert [order.state for order in outcome.orders] == [OrderState.FILLED] * 3
        assert [step.gas_used for step in planned] == [
            stage.get_gas(order.tx_hash) for order in outcome.orders
        ]
        again = await deploy(context, terms, stage.folder)
        assert (again.orders, again.survey.missing) == ((), ())
        listed = add_deployed(context.profile, stage.folder).protocols["onchain_exec"]
    assert stage.nonce == before + 3
    assert read_terms(stage.sandbox.profile.chain_id, stage.folder) == terms
    assert listed["lens"] == stage.blueprints[0].address
    assert listed["settle"] == stage.sandbox.profile.get_contract("onchain_exec", "settle")


@pytest.mark.parametrize(
    ("step", "occurrence"),
    [
        pytest.param(step, occurrence, marks=() if occurrence == 1 and step in GATE else pytest.mark.deep)
        for step in STEPS
        for occurrence in (1, 2)
    ],
    ids=lambda value: getattr(value, "name", value),
)
async def test_deploy_stopped_after_a_step_goes_on_and_deploys_nothing_twice(
    stage: DeployStage, step: Step, occurrence: int
) -> None:
    seen = 0

    def stop(done: Step, made: object) -> None:
        nonlocal seen
        seen += done is step
        if done is step and seen == occurrence + 2 * (step is Step.BUILT):  # foreseen first
            raise StoppedError

    before = stage.nonce
    with pytest.raises(StoppedError):
        async with stage.open(stop) as context:
            await deploy(context, TERMS, stage.folder)
    async with stage.open() as context:
        outcome = await deploy(context, TERMS, stage.folder)
        assert outcome.survey.missing == ()
        assert not context.journal.read_open().orders
    assert stage.nonce == before + 2


async def test_deploy_where_other_code_stands_sends_nothing(stage: DeployStage) -> None:
    before, settle = stage.nonce, stage.blueprints[3]
    stage.sandbox.chain.set_code(settle.address, b"\x00")
    async with stage.open() as context:
        with pytest.raises(WrongCodeError, match="1 bytes of code instead of"):
            await deploy(context, TERMS, stage.folder)
    assert stage.nonce == before


async def test_deploy_with_too_little_for_all_sends_nothing(stage: DeployStage) -> None:
    before, trader = stage.nonce, stage.sandbox.trader.address
    async with stage.open() as context:
        planned = await foresee(context, await survey(context, TERMS))
        total_wei = sum(step.gas_limit * step.plan.fees.max_fee_wei for step in planned)
        stage.sandbox.chain.set_balance(trader, total_wei * 9 // 10)  # more than any one of them takes
        with pytest.raises(GasError, match="holds"):
            await deploy(context, TERMS, stage.folder)
    assert stage.nonce == before


async def test_place_proxy_where_there_is_none_places_the_one_of_all_chains(stage: DeployStage) -> None:
    chain = stage.sandbox.chain
    chain.set_code(PROXY, b"")
    chain.request("anvil_setNonce", PROXY, "0x0")
    chain.request("anvil_setNonce", PROXY_CREATOR, "0x0")
    chain.set_balance(PROXY_CREATOR, PROXY_PRICE_WEI - 1)
    async with stage.open() as context:
        with pytest.raises(ConfigError, match="no contract at"):
            await deploy(context, TERMS, stage.folder)
        with pytest.raises(ConfigError, match="holds"):
            await place_proxy(context)
        chain.set_balance(PROXY_CREATOR, PROXY_PRICE_WEI)
        await place_proxy(context)
        await place_proxy(context)
        assert stage.get_code(PROXY) == PROXY_CODE
        assert await foresee(context, await survey(context, TERMS))


async def test_deploy_through_something_else_than_the_proxy_is_refused(stage: DeployStage) -> None:
    stage.sandbox.chain.set_code(PROXY, b"\x00" + PROXY_CODE)
    async with stage.open() as context:
        for refused in (deploy(context, TERMS, stage.folder), place_proxy(context)):
            with pytest.raises(WrongCodeError):
                await refused


async def test_survey_of_a_chain_that_only_bears_a_known_id_leaves_the_router_out(stage: DeployStage) -> None:
    stage.sandbox.chain.set_code(stage.sandbox.profile.protocols["permit2"]["permit2"], b"")
    async with stage.open() as context:
        found = await survey(context, None)
    assert [blueprint.name for blueprint in (*found.deployed, *found.missing)] == ["Guard", "Lens"]
    assert "permit2.permit2" in found.left_out["Router"]


def test_deploy_command_shows_then_deploys_then_remembers(cli: Cli, fork: Sandbox) -> None:
    terms = ("--guardian", TERMS.guardian, "--guardian-until", "2030-01-01", "--sunset", "2031-01-01")
    chain = "deploy", "--chain-id", "1337"
    shown = cli.json(*chain, *terms, "--dry-run")
    costs = {contract["name"]: contract["gas"] for contract in shown["contracts"]}
    assert costs["Guard"] is None
    assert costs["Settle"] > 2_000_000
    assert list(shown["left_out"]) == ["Solver"]
    done = cli.json(*chain, *terms, "--yes")
    assert [order["state"] for order in done["orders"]] == ["FILLED", "FILLED"]
    again = cli.json(*chain, "--yes")
    assert again["orders"] == []
    assert [one["address"] for one in again["contracts"]] == [one["address"] for one in done["contracts"]]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--chain-id", "1", "--yes"), 2),
        (("--chain-id", "1337"), 2),
        (("--chain-id", "1337", "--yes", "--sunset", "2031-01-01"), 2),
        (("--chain-id", "1337", "--yes", "--guardian", "0x1", "--guardian-until", "x", "--sunset", "y"), 2),
    ],
)
def test_deploy_command_asked_for_what_cannot_be_is_bad_input(
    cli: Cli, arguments: tuple[str, ...], code: int
) -> None:
    assert cli.json("deploy", *arguments, expect=code)["error"]["code"]


@pytest.mark.deep
def test_deploy_killed_while_its_transaction_waits_goes_on_when_run_again(
    stage: DeployStage, cli: Cli
) -> None:
    before, chain = stage.nonce, stage.sandbox.chain
    chain.request("evm_setAutomine", False)
    command = [sys.executable, "-m", "onchain_exec.cli", "deploy", "--chain-id", "1337", "--yes"]
    environment = {"ONCHAIN_EXEC_RPC_URL": cli.rpc_url, "ONCHAIN_EXEC_JOURNAL": str(cli.journal), "HOME": "/"}
    with subprocess.Popen(command, cwd=stage.folder, env=environment, stderr=subprocess.DEVNULL) as running:
        until = time.monotonic() + 60
        while chain.request("txpool_status")["pending"] == "0x0" and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGKILL)
    chain.request("evm_setAutomine", True)
    chain.mine()
    assert cli.json("deploy", "--chain-id", "1337", "--yes")["orders"] == []
    assert stage.nonce == before + 1
