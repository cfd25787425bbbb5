"""``deploy``: our contracts onto a chain, at the same addresses everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Annotated, Any

import typer

from onchain_exec.app.configuration.opening import Opening
from onchain_exec.app.configuration.settings import load_settings
from onchain_exec.app.deploy.deployment import Outcome, Survey, describe_chain, foresee, place_proxy, survey
from onchain_exec.app.deploy.deployment import deploy as deploy_all
from onchain_exec.app.deploy.record import read_terms
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.app.desk import ignore
from onchain_exec.cli.asking import confirm
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import JournalPath, Json, Rpc
from onchain_exec.cli.printing.output import messages, print_json, print_table
from onchain_exec.cli.printing.views import exit_of_order
from onchain_exec.errors import InputError
from onchain_exec.execution import SimulatedTx


def deploy(
    chain_id: Annotated[
        int, typer.Option("--chain-id", help="The chain that is meant; a node of another is refused.")
    ],
    guardian: Annotated[
        str | None, typer.Option("--guardian", help="Settle: who may stop settlements for two weeks.")
    ] = None,
    guardian_until: Annotated[
        str | None, typer.Option("--guardian-until", help="Settle: the day (UTC) from which it may not.")
    ] = None,
    sunset: Annotated[
        str | None, typer.Option("--sunset", help="Settle: the day (UTC) from which nothing settles.")
    ] = None,
    solver_owner: Annotated[
        str | None, typer.Option("--solver-owner", help="Solver: who alone may use it.")
    ] = None,
    proxy: Annotated[
        bool, typer.Option("--place-proxy", help="Place the deployment proxy first where there is none.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show addresses, gas, and what stands; sign and send nothing.")
    ] = False,
    rpc: Rpc = None,
    journal: JournalPath = None,
    as_json: Json = False,
) -> None:
    """Deploy our contracts, verify them, and list them where every desk looks.

    What stands already is verified and left alone, so the same command again goes on where it stopped.
    Settle's options are remembered: they are needed once.
    """
    if as_json and not (yes or dry_run):
        raise InputError("--json cannot ask", needed="--yes or --dry-run")
    settings = load_settings(rpc_url=rpc, journal=journal, chain_id=chain_id)
    terms = Terms.parse(guardian, guardian_until, sunset, solver_owner)
    terms = terms or read_terms(chain_id, settings.deployments)

    async def work() -> Exit:
        async with AsyncExitStack() as resources:
            opening = replace(Opening.configured(settings, ignore), profile=describe_chain(chain_id))
            context = await opening.open(resources)
            if proxy and not dry_run:
                await place_proxy(context)
            found = await survey(context, terms)
            planned = await foresee(context, found) if context.signer else ()
            if not as_json:
                _show(found, planned)
            if dry_run:
                return _report(found, planned, as_json=as_json)
            if found.missing and not yes and not confirm("Send it?"):
                messages.print("Nothing was sent.")
                return Exit.DONE
            return _report_outcome(await deploy_all(context, terms, settings.deployments), as_json=as_json)

    raise typer.Exit(asyncio.run(work()))


def _show(found: Survey, planned: Sequence[SimulatedTx]) -> None:
    rows = [
        (
            contract["name"],
            contract["address"],
            contract["state"],
            str(contract["gas"] or ""),
            _cost(contract),
        )
        for contract in _list_contracts(found, planned)
    ]
    rows += [(name, "", f"left out: {reason}", "", "") for name, reason in found.left_out.items()]
    print_table(
        f"Contracts on chain {found.block.chain_id}",
        ("Contract", "Address", "State", "#Gas", "#Costs at most"),
        rows,
    )


def _cost(contract: Mapping[str, Any]) -> str:
    cost_wei = contract["cost_max_wei"]
    return "" if cost_wei is None else f"{int(cost_wei) / 10**18:.6f}"


def _report(found: Survey, planned: Sequence[SimulatedTx], *, as_json: bool) -> Exit:
    if as_json:
        print_json(_to_json(found, planned))
    else:
        messages.print("Nothing was signed or sent.")
    return Exit.DONE


def _report_outcome(outcome: Outcome, *, as_json: bool) -> Exit:
    if as_json:
        orders = [view.to_json() for view in outcome.orders]
        document = _to_json(outcome.survey, ())
        print_json({**document, "orders": orders, "listed_in": str(outcome.record)})
    else:
        for view in outcome.orders:
            label = view.action.label if view.action else view.order_id
            messages.print(f"{label}: {view.state.value} {view.tx_hash}", highlight=False)
        messages.print(f"{len(outcome.survey.deployed)} verified, listed in {outcome.record}")
    return next(
        (code for view in outcome.orders if (code := exit_of_order(view)) is not Exit.DONE), Exit.DONE
    )


def _to_json(found: Survey, planned: Sequence[SimulatedTx]) -> dict[str, Any]:
    return {
        "chain_id": found.block.chain_id,
        "contracts": _list_contracts(found, planned),
        "left_out": dict(found.left_out),
    }


def _list_contracts(found: Survey, planned: Sequence[SimulatedTx]) -> list[dict[str, Any]]:
    costs = dict(zip((blueprint.name for blueprint in found.missing), planned, strict=False))
    return [
        {
            "name": blueprint.name,
            "address": blueprint.address,
            "arguments": dict(blueprint.arguments),
            "state": "verified" if blueprint in found.deployed else "missing",
            "gas": (step := costs.get(blueprint.name)) and step.gas_used,
            "cost_max_wei": step and str(step.gas_limit * step.plan.fees.max_fee_wei),
        }
        for blueprint in (*found.deployed, *found.missing)
    ]
