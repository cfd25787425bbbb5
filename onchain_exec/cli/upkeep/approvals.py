"""``approvals``: who may still pull what, and the transactions that take it back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from onchain_exec.app.approvals import find_approvals, pick_approvals, prepare_revocations
from onchain_exec.app.configuration.endpoints import open_configured_rpc
from onchain_exec.app.configuration.journals import has_journal, open_journal
from onchain_exec.app.configuration.opening import make_policy, make_signer
from onchain_exec.app.configuration.registry import ChainProfile, get_chain_profile
from onchain_exec.app.configuration.settings import Settings, load_settings
from onchain_exec.app.deploy.record import add_deployed
from onchain_exec.app.desk import AsyncDesk
from onchain_exec.app.report import transaction_to_json
from onchain_exec.chain import Node
from onchain_exec.cli.asking import confirm
from onchain_exec.cli.exits import Exit
from onchain_exec.cli.options import JournalPath, Json, Rpc
from onchain_exec.cli.printing.output import messages, print_json, print_table
from onchain_exec.cli.printing.views import exit_of_order, print_transactions
from onchain_exec.core import Address, BlockRef, Token, format_amount, to_address
from onchain_exec.errors import ConfigError, InputError
from onchain_exec.execution import SimulatedTx, StandingApproval
from onchain_exec.oms import OrderView
from onchain_exec.oms.allowances import Standing, find_standing, list_left

_ENDLESS = 1 << 159
"""From here on nobody means an amount: the largest of Permit2 is 2**160 - 1, of a token 2**256 - 1."""


def approvals(
    account: Annotated[
        str | None, typer.Option("--account", help="Whose. Default: the configured key's.")
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(
            "--since", min=0, help="Find unknown tokens and spenders too, in the logs from this block on."
        ),
    ] = None,
    revoke: Annotated[
        str | None,
        typer.Option(
            "--revoke",
            metavar="TOKEN:SPENDER",
            help="Take this back: show the transactions, ask, sign, journal, send, and wait.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the unsigned transactions, for any wallet to sign.")
    ] = False,
    rpc: Rpc = None,
    journal: JournalPath = None,
    as_json: Json = False,
) -> None:
    """List the allowances that stand; with --revoke, take one back."""
    if revoke is not None and as_json and not (yes or dry_run):
        raise InputError("--json cannot ask", needed="--yes or --dry-run")
    settings = load_settings(rpc_url=rpc)

    async def look() -> Exit:
        node = await Node.connect(open_configured_rpc(settings), settings.chain_id)
        try:
            profile = add_deployed(get_chain_profile(node.chain_id), settings.deployments)
            block = await node.get_block("latest")
            owner = _get_owner(account, settings, node.chain_id)
            if revoke is None:
                left = await _find_left(node, journal, settings, owner, block)
                named = [(standing.key.token, standing.key.spender) for standing in left]
                found = await find_approvals(node, profile, owner, block, since, named)
                _show_all(found, left, profile, owner, as_json=as_json)
                return Exit.DONE
            pair = _parse_pair(revoke, profile)
            picked = pick_approvals(await find_approvals(node, profile, owner, block, named=[pair]), *pair)
            budget = make_policy(settings).max_fee_wei
            planned = await prepare_revocations(node, profile, picked, block, budget)
        finally:
            await node.close()
        if dry_run:
            _show_revocations(planned, as_json=as_json)
            return Exit.DONE
        return await take_back(planned, pair)

    async def take_back(planned: tuple[SimulatedTx, ...], pair: tuple[Address, Address]) -> Exit:
        if not as_json:
            for step in planned:
                print_transactions(step)
        if not yes and not confirm("Send it?"):
            messages.print("Nothing was sent.")
            return Exit.DONE
        async with await AsyncDesk.from_env(rpc_url=rpc, journal=journal) as desk:
            return _report(await desk.revoke(*pair), as_json=as_json)

    raise typer.Exit(asyncio.run(look()))


async def _find_left(
    node: Node, journal: str | None, settings: Settings, owner: Address, block: BlockRef
) -> tuple[Standing, ...]:
    """Return what orders of the journal, if there is one, left standing of the owner's tokens."""
    if journal is None and not has_journal(settings.journal):
        return ()
    with open_journal(journal) as opened:
        standing = await find_standing(node, opened, block)
    return tuple(found for found in list_left(standing) if found.key.account == owner)


def _get_owner(account: str | None, settings: Settings, chain_id: int) -> Address:
    if account is not None:
        return to_address(account)
    signer = make_signer(settings, chain_id)
    if signer is None:
        raise ConfigError("no account is known", needed="--account ADDRESS, or a key in the configuration")
    return signer.address


def _parse_pair(text: str, profile: ChainProfile) -> tuple[Address, Address]:
    name, _, spender = text.partition(":")
    if not spender:
        raise InputError(f"{text!r} names no spender", needed="TOKEN:SPENDER, a symbol or two addresses")
    token = profile.get_token(name)
    return (token.address if isinstance(token, Token) else token), to_address(spender)


def _show_all(
    found: tuple[StandingApproval, ...],
    left: tuple[Standing, ...],
    profile: ChainProfile,
    owner: Address,
    *,
    as_json: bool,
) -> None:
    if as_json:
        left_by = {(known.key.token, known.key.spender): known.grant.order_id for known in left}
        listed = [_to_json(approval, profile, left_by) for approval in found]
        print_json({"account": owner, "approvals": listed})
        return
    rows = [
        (
            _describe_token(approval, profile),
            _name_spender(approval.spender, profile),
            approval.spender,
            "Permit2" if approval.permit2 else "token",
            _describe_amount(approval, profile),
        )
        for approval in found
    ]
    print_table(f"Approvals of {owner}", ("Token", "Spender", "Address", "Through", "#Amount"), rows)
    for known in left:
        messages.print(
            f"Left by order {known.grant.order_id}: {known}. {known.todo}", highlight=False, soft_wrap=True
        )


def _show_revocations(simulated: tuple[SimulatedTx, ...], *, as_json: bool) -> None:
    if as_json:
        print_json({"transactions": [transaction_to_json(step) for step in simulated]})
        return
    for step in simulated:
        print_transactions(step)
    messages.print("Nothing was signed or sent.")


def _report(views: tuple[OrderView, ...], *, as_json: bool) -> Exit:
    if as_json:
        print_json({"orders": [view.to_json() for view in views]})
    else:
        for view in views:
            messages.print(f"{view.order_id}: {view.state.value} {view.tx_hash}", highlight=False)
    return next((code for view in views if (code := exit_of_order(view)) is not Exit.DONE), Exit.DONE)


def _to_json(
    approval: StandingApproval, profile: ChainProfile, left_by: Mapping[tuple[Address, Address], str]
) -> dict[str, Any]:
    """``left_by``: the order that left it, by token and spender."""
    token = profile.get_token(approval.token)
    order_id = left_by.get((approval.token, approval.spender))
    return {
        "token": approval.token,
        "symbol": token.symbol if isinstance(token, Token) else None,
        "spender": approval.spender,
        "spender_name": _name_spender(approval.spender, profile) or None,
        "through": "permit2" if approval.permit2 else "token",
        "amount": str(approval.amount),
        "unlimited": approval.amount >= _ENDLESS,
        "left_by": None if approval.permit2 else order_id,
    }


def _describe_token(approval: StandingApproval, profile: ChainProfile) -> str:
    return str(profile.get_token(approval.token))


def _describe_amount(approval: StandingApproval, profile: ChainProfile) -> str:
    token = profile.get_token(approval.token)
    if approval.amount >= _ENDLESS:
        return "unlimited"
    return format_amount(approval.amount, token) if isinstance(token, Token) else f"{approval.amount} units"


def _name_spender(spender: Address, profile: ChainProfile) -> str:
    """Return what the chain's profile calls a contract, or nothing."""
    return next(
        (
            f"{protocol} {role}"
            for protocol, contracts in profile.protocols.items()
            for role, address in contracts.items()
            if address == spender
        ),
        "",
    )
