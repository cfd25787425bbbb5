"""Deploying as orders: each contract is an action of its own, journalled before it is sent, and the chain
says what is there already."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from onchain_exec.app.actions import act, build, decide, get_now
from onchain_exec.app.context import Context
from onchain_exec.app.deploy.blueprints import OWN, Blueprint
from onchain_exec.app.deploy.create2 import PROXY, PROXY_CREATOR, PROXY_PRICE_WEI, PROXY_TX
from onchain_exec.app.deploy.verification import has_proxy, is_deployed, require_proxy
from onchain_exec.app.recover import resume_all
from onchain_exec.app.run import require_signer
from onchain_exec.core import BlockRef
from onchain_exec.core.action import ActionOrder, VenueCall
from onchain_exec.errors import GasError, NodeUnreachableError
from onchain_exec.execution import SimulatedTx
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.action_terms import is_same_action
from onchain_exec.oms.book.states import OrderState
from onchain_exec.risk.action import ApprovedAction

_VALID_S: Final = 86_400  # until then a restart sends the same bytes again; later it begins anew
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Survey:
    """What stands at ``block`` and was verified, and what is ``missing``, each in the order to deploy."""

    block: BlockRef
    deployed: tuple[Blueprint, ...]
    missing: tuple[Blueprint, ...]


async def survey(context: Context, blueprints: Sequence[Blueprint]) -> Survey:
    """Return which contracts stand at the newest block, each verified.

    Raises:
        WrongCodeError: something else stands at the address of one.
    """
    block = await context.node.get_block("latest")
    codes = [await context.node.get_code(blueprint.address, block) for blueprint in blueprints]
    chain_id = context.node.chain_id
    found = [is_deployed(one, chain_id, code) for one, code in zip(blueprints, codes, strict=True)]
    pairs = tuple(zip(blueprints, found, strict=True))
    return Survey(
        block, tuple(one for one, there in pairs if there), tuple(one for one, there in pairs if not there)
    )


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
    found = [await build(context, ApprovedAction(order, surveyed.block)) for order in orders]
    await _require_funds(context, surveyed.block, found)
    return tuple(found)


async def deploy(context: Context, blueprints: Sequence[Blueprint]) -> tuple[OrderView, ...]:
    """Deploy what is missing, one contract after the other until one fails, and return the orders.

    A deployment that a stop left open is brought to its end first; whatever stands is verified and left
    alone. So the same call again goes on where it stopped.

    Raises:
        ConfigError, WrongCodeError, GasError: as of `survey` and `foresee`; nothing was sent.
    """
    await resume_all(context)
    if sent := _find_sent(context):
        return sent
    surveyed = await survey(context, blueprints)
    await foresee(context, surveyed)
    done: list[OrderView] = []
    for blueprint in surveyed.missing:
        done.append(await _send(context, _create(blueprint)))
        if done[-1].state is not OrderState.FILLED:
            break
    return tuple(done)


async def place_proxy(context: Context) -> None:
    """Place the deterministic deployment proxy where the chain has none: pay its creator, and send the
    transaction that was signed for every chain.

    Raises:
        WrongCodeError: something else stands in its place.
        NodeRefusedError: the node takes no transaction without a chain id (EIP-155), as this one is.
        NodeUnreachableError: it was not mined in the policy's time; the same call again looks for it.
    """
    node = context.node
    if has_proxy(await node.get_code(PROXY)):
        return
    missing_wei = PROXY_PRICE_WEI - await node.get_balance(PROXY_CREATOR)
    if missing_wei > 0:
        await _send(
            context, VenueCall("pay for the deterministic deployment proxy", PROXY_CREATOR, b"", missing_wei)
        )
    await node.send_raw_transaction(PROXY_TX)
    for _ in range(1 + int(context.policy.confirm_timeout_s / _LOOK_S)):
        if has_proxy(await node.get_code(PROXY)):
            return
        await asyncio.sleep(_LOOK_S)
    raise NodeUnreachableError(f"no contract at {PROXY} yet", needed="a block with its creation")


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
