"""Deploying as orders: each contract is an action of its own, journalled before it is sent, and the chain
says what is there already."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from onchain_exec.app.configuration.registry import ChainProfile, find_chain_profile
from onchain_exec.app.deploy.blueprints import (
    OWN,
    ROUTER_NEEDS,
    Blueprint,
    Protocols,
    list_blueprints,
    list_left_out,
)
from onchain_exec.app.deploy.create2 import PROXY, PROXY_CREATOR, PROXY_PRICE_WEI, PROXY_TX
from onchain_exec.app.deploy.record import require_writable, write_record
from onchain_exec.app.deploy.terms import Terms
from onchain_exec.app.deploy.verification import has_proxy, is_deployed, require_proxy
from onchain_exec.app.path.actions import act, build, decide, get_now
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.recover import resume_all
from onchain_exec.app.path.run import require_signer
from onchain_exec.chain import Node
from onchain_exec.core import ZERO_ADDRESS, BlockRef, Token
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import ConfigError, GasError, NodeUnreachableError
from onchain_exec.execution import SimulatedTx
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.action_terms import is_same_action
from onchain_exec.oms.book.states import OrderState
from onchain_exec.risk.action import ApprovedAction

_VALID_S: Final = 86_400  # until then a restart sends the same bytes again; later it begins anew
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands at ``block`` and was verified, and what is ``missing``, each in the order to deploy; what
    cannot be deployed is ``left_out``, with the reason."""

    block: BlockRef
    deployed: tuple[Blueprint, ...]
    missing: tuple[Blueprint, ...]
    left_out: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The orders of a deployment, what stands after them, and the file that lists it."""

    orders: tuple[OrderView, ...]
    survey: Survey
    record: Path


def describe_chain(chain_id: int) -> ChainProfile:
    """Return the profile of a chain, or of one that is not known a bare one: what needs nothing of others
    can be deployed there too."""
    wrapped_native = Token(chain_id, ZERO_ADDRESS, "unknown", 18)
    bare = ChainProfile(chain_id, f"chain {chain_id}", "native", wrapped_native, {}, {})
    return find_chain_profile(chain_id) or bare


async def survey(context: Context, terms: Terms | None) -> Survey:
    """Return which of our contracts stand at the newest block, each verified; Settle and Solver are those of
    these ``terms``.

    Raises:
        WrongCodeError: something else stands at the address of one.
    """
    node, block = context.node, await context.node.get_block("latest")
    protocols = await _read_protocols(context, block)
    stands: dict[bool, list[Blueprint]] = {True: [], False: []}
    for blueprint in list_blueprints(context.profile.wrapped_native.address, protocols, terms):
        code = await node.get_code(blueprint.address, block)
        stands[is_deployed(blueprint, node.chain_id, code)].append(blueprint)
    return Survey(block, tuple(stands[True]), tuple(stands[False]), list_left_out(protocols, terms))


async def foresee(context: Context, surveyed: Survey) -> tuple[SimulatedTx, ...]:
    """Return the transactions that deploy what is missing, simulated; nothing is signed or sent.

    Raises:
        ConfigError, WrongCodeError: the chain has no proxy, or something else in its place.
        GasError: the account cannot pay for all of them at their limits.
    """
    if not surveyed.missing:
        return ()
    require_proxy(await context.node.get_code(PROXY, surveyed.block))
    orders = [_make_order(context, surveyed.block, _create(one)) for one in surveyed.missing]
    verdicts = [await decide(context, order, surveyed.block) for order in orders]
    found = [await build(context, verdict) for verdict in verdicts if isinstance(verdict, ApprovedAction)]
    await _require_funds(context, surveyed.block, found)
    return tuple(found)


async def deploy(context: Context, terms: Terms | None, folder: Path) -> Outcome:
    """Deploy what is missing, one contract after the other until one fails; verify what stands then, and list
    it in the chain's file in ``folder``.

    A deployment that a stop left open is brought to its end first; whatever stands is verified and left
    alone. So the same call again goes on where it stopped.

    Raises:
        ConfigError, WrongCodeError, GasError: as of `survey` and `foresee`, or ``folder`` cannot be written
            to; nothing was sent.
    """
    require_writable(folder)
    await resume_all(context)
    orders = list(_find_sent(context))
    if not orders:  # else they may still be mined: nobody pays twice
        surveyed = await survey(context, terms)
        await foresee(context, surveyed)
        for blueprint in surveyed.missing:
            orders.append(await _send(context, _create(blueprint)))
            if orders[-1].state is not OrderState.FILLED:
                break
    after = await survey(context, terms)
    return Outcome(tuple(orders), after, write_record(context.node.chain_id, folder, after.deployed))


async def place_proxy(context: Context) -> None:
    """Place the deterministic deployment proxy where the chain has none, by the transaction that was signed
    for every chain.

    Raises:
        WrongCodeError: something else stands in its place.
        ConfigError: its creator cannot pay for it.
        NodeRefusedError: the node takes no transaction without a chain id (EIP-155), as this one is.
        NodeUnreachableError: it was not mined in the policy's time; the same call again looks for it.
    """
    node = context.node
    if await _stands(node):
        return
    balance = await node.get_balance(PROXY_CREATOR)
    if balance < PROXY_PRICE_WEI:
        raise ConfigError(
            f"{PROXY_CREATOR} holds {balance} wei",
            needed=f"{PROXY_PRICE_WEI} wei, to create the deterministic deployment proxy",
            todo="Send it the rest from any wallet; nobody can take it out again",
        )
    tx_hash = await node.send_raw_transaction(PROXY_TX)
    for _ in range(1 + int(context.policy.confirm_timeout_s / _LOOK_S)):
        # a node may show its code before there is a block that has it
        if await node.get_receipt(tx_hash) and await _stands(node):
            return
        await asyncio.sleep(_LOOK_S)
    raise NodeUnreachableError(f"no contract at {PROXY} yet", needed="a block with its creation")


async def _stands(node: Node) -> bool:
    """Return whether the proxy stands at the newest block."""
    return has_proxy(await node.get_code(PROXY, await node.get_block("latest")))


async def _read_protocols(context: Context, block: BlockRef) -> Protocols:
    """Return the protocols that the profile lists and that stand: a local chain may bear another's id."""
    protocols = dict(context.profile.protocols)
    for protocol, role in ROUTER_NEEDS:
        place = context.profile.get_contract(protocol, role)
        if place is None or not await context.node.get_code(place, block):
            protocols.pop(protocol, None)
    return protocols


async def _send(context: Context, call: VenueCall) -> OrderView:
    block = await context.node.get_block("latest")
    order = _make_order(context, block, call)
    for view in _read_begun(context):
        if view.state is OrderState.NEW and view.action and is_same_action(view.action, order):
            order = replace(order, order_id=view.order_id, client_order_id=view.client_order_id)
    return await act(context, await decide(context, order, block))


def _find_sent(context: Context) -> tuple[OrderView, ...]:
    """Return deployments whose transactions may still be mined."""
    return tuple(view for view in _read_begun(context) if view.state is not OrderState.NEW)


def _read_begun(context: Context) -> tuple[OrderView, ...]:
    """Return deployments without an end, but for those on other chains."""
    views, chain_id = context.journal.read_open().orders, context.node.chain_id
    return tuple(
        view
        for view in views
        if view.action and view.action.venue == OWN and all(slot.chain_id == chain_id for slot in view.slots)
    )


def _create(blueprint: Blueprint) -> VenueCall:
    return VenueCall(f"deploy {blueprint.name} at {blueprint.address}", PROXY, blueprint.call_data)


def _make_order(context: Context, block: BlockRef, call: VenueCall) -> ActionOrder:
    order_id = uuid.uuid4().hex
    return ActionOrder(
        order_id=order_id,
        client_order_id=order_id,
        account=require_signer(context).address,
        venue=OWN,
        calls=(call,),
        conditions=(),
        expires_at=get_now(context, block) + _VALID_S,
    )


async def _require_funds(context: Context, block: BlockRef, planned: Sequence[SimulatedTx]) -> None:
    owner = require_signer(context).address
    needed = sum(step.gas_limit * step.plan.fees.max_fee_wei for step in planned)
    balance = await context.node.get_balance(owner, block)
    if balance < needed:
        raise GasError(
            f"{owner} holds {balance} wei",
            needed=f"{needed} wei for all {len(planned)} contracts, at their gas limits and the highest fee",
            todo="Fund the account, or lower the fee budget",
        )
