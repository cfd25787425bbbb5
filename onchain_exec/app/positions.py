"""Accounts with collateral on a known chain: foreseen, and acted on along the path of every order."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypedDict, assert_never

from onchain_exec.app.context import Context, Step
from onchain_exec.app.position_reads import read_position
from onchain_exec.app.recover import resume_all
from onchain_exec.app.run import deliver, failures_journalled, make_durable, renew, require_signer
from onchain_exec.core import Address, Condition
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import DuplicateOrderError, InputError, RevertError
from onchain_exec.execution import SimulatedTx, read_fees, simulate
from onchain_exec.execution.action import (
    Delegation,
    build_action,
    get_delegate,
    read_approvals_before,
)
from onchain_exec.execution.action_effects import read_standing
from onchain_exec.oms import OrderView
from onchain_exec.oms.book.action_terms import is_same_action
from onchain_exec.oms.book.states import UNDECIDED, OrderState
from onchain_exec.risk.collateral import (
    NO_LIMITS,
    ApprovedAction,
    CollateralLimits,
    DeniedAction,
    Preview,
    check_action,
    judge_action,
)
from onchain_exec.venues.collateral import CollateralAccount


class ActionOptions(TypedDict, total=False):
    """What an action may be given besides itself, as `ActionRequest` has it."""

    guards: Sequence[Condition]
    limits: CollateralLimits
    client_order_id: str | None


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """Actions at one venue, in their order, all or nothing. ``guards`` must hold after them on chain,
    ``limits`` before anything is signed."""

    venue: str
    actions: tuple[Any, ...]
    guards: Sequence[Condition] = ()
    limits: CollateralLimits = NO_LIMITS
    client_order_id: str | None = None


def foresee(account: CollateralAccount[Any], actions: Sequence[Any]) -> CollateralAccount[Any]:
    """Return the account after ``actions``, each at the account's time: a what-if that costs nothing.

    Raises:
        PoolRevertError: the chain would revert.
    """
    for action in actions:
        account = account.after(action)
    return account


def list_named(actions: Iterable[Any]) -> list[Address]:
    """Return the tokens and markets that an account must be read with before it does ``actions``."""
    return [address for action in actions for address in getattr(action, "named", ())]


async def perform(context: Context, request: ActionRequest) -> OrderView:
    """Act at a venue: check, build, simulate, sign, journal, send, wait; return the order.

    With a ``client_order_id`` the call is idempotent, as a swap's is. A denial, or a transaction that
    reverts, also by a guard, is a state of the order.

    Raises:
        DuplicateOrderError: the id is taken by an order that does something else.
        OnchainExecError: what failed before anything was signed; the journal has a line of it.
    """
    if not request.actions:
        raise InputError("no action", needed="one or more")
    owner, block = require_signer(context).address, await context.node.get_block("latest")
    earlier = context.journal.find_order(request.client_order_id) if request.client_order_id else None
    order_id = earlier.order_id if earlier else uuid.uuid4().hex
    is_unsigned = earlier is None or earlier.state is OrderState.NEW
    with failures_journalled(context, order_id) if is_unsigned else nullcontext():
        named = list_named(request.actions)
        account = await read_position(context, request.venue, owner, block, named)
        order = _make_order(context, request, account, order_id)
    if earlier is not None and (done := await _continue(context, earlier, order)) is not None:
        return done
    with failures_journalled(context, order_id):
        preview = Preview(block, account.health, foresee(account, request.actions).health)
        verdict = await decide(context, order, preview, request.limits)
    match verdict:
        case DeniedAction():
            return context.journal.append_action_denial(verdict)
        case ApprovedAction():
            accepted = context.journal.append_action(order)
            if accepted.order_id == order_id:  # otherwise another process was faster with the same client id
                context.observe(Step.ACCEPTED, order)
                await _execute(context, verdict)
            return context.journal.read_order(accepted.order_id)
        case never:
            assert_never(never)


async def decide(
    context: Context, order: ActionOrder, preview: Preview, limits: CollateralLimits
) -> ApprovedAction | DeniedAction:
    """Check an action against what the mirror previews and what the account holds at the same block."""
    await context.node.require_canonical(preview.block)
    found = await context.node.perform(read_standing(order), preview.block)
    funds = dict(zip((spend.token for spend in order.spends), found.balances, strict=True))
    verdict = check_action(order, preview, funds, limits, max(context.now(), preview.block.timestamp))
    context.observe(Step.CHECKED, verdict)
    return verdict


async def build(context: Context, approved: ApprovedAction) -> SimulatedTx:
    """Return the action's transaction, with the approvals that it needs, simulated."""
    node, block, order = context.node, approved.preview.block, approved.order
    guard, delegation = context.profile.get_contract("onchain_exec", "guard"), None
    if order.is_guarded and guard is not None:
        delegation = Delegation(guard, get_delegate(await node.get_code(order.account, block)))
    approvals = await node.perform(read_approvals_before(approved), block)
    plan = build_action(
        approved, approvals, await read_fees(node, block, context.policy.max_fee_wei), delegation
    )
    context.observe(Step.BUILT, plan)
    simulated = await simulate(node, plan, context.profile.gas_rules)
    context.observe(Step.SIMULATED, simulated)
    return simulated


async def _execute(context: Context, approved: ApprovedAction) -> None:
    """Send what an approved action needs, one transaction after the other, until one fails; one that its own
    guards would revert is denied, and nothing of it is sent."""
    signer, order = require_signer(context), approved.order
    with failures_journalled(context, order.order_id):
        try:
            simulated = await build(context, approved)
        except RevertError as error:
            if (denied := judge_action(order, error)) is None:
                raise
            context.journal.append_action_denial(denied)
            return
    for step in (*simulated.depends_on, simulated):
        with failures_journalled(context, order.order_id):
            durable = await make_durable(context, signer, await renew(context, step))
        if not await deliver(context, durable):
            return


async def _continue(context: Context, earlier: OrderView, order: ActionOrder) -> OrderView | None:
    """Return the order that has the client order id, continued if it was open; None if nothing of it was
    signed, so that it may begin again."""
    if earlier.action is None or not is_same_action(earlier.action, order):
        raise DuplicateOrderError(
            f"client order id {order.client_order_id!r} belongs to an order that does something else",
            needed="the same actions and guards",
            todo="An id names one order for ever; take a new id for a new order",
        )
    if earlier.state is OrderState.NEW:
        return None
    if earlier.state in UNDECIDED:
        await resume_all(context)
    return context.journal.read_order(earlier.order_id)


def _make_order(
    context: Context, request: ActionRequest, account: CollateralAccount[Any], order_id: str
) -> ActionOrder:
    """Return the order; what its calls may take is bounded at the time up to which they may run."""
    block = account.block
    expires_at = max(context.now(), block.timestamp) + context.policy.time_to_live_s
    late = account.at_time(expires_at)
    return ActionOrder(
        order_id=order_id,
        client_order_id=request.client_order_id or order_id,
        account=account.owner,
        venue=account.key,
        calls=tuple(late.encode(action) for action in request.actions),
        conditions=tuple(request.guards),
        expires_at=expires_at,
    )
