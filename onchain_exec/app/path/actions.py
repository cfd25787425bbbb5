"""The path of an action, whatever its venue: approved or denied, then built, simulated, signed and sent."""

from __future__ import annotations

from functools import partial
from typing import assert_never

from onchain_exec.app.path.context import Context, Step
from onchain_exec.app.path.retrial import prove
from onchain_exec.app.path.run import (
    catch_up,
    deliver,
    failures_journalled,
    judge,
    make_durable,
    require_signer,
    unless_overtaken,
)
from onchain_exec.core import Address, BlockRef
from onchain_exec.core.action import ActionOrder
from onchain_exec.execution import SimulatedTx, read_fees
from onchain_exec.execution.building.action import (
    Delegation,
    build_action,
    get_delegate,
    read_approvals_before,
)
from onchain_exec.execution.simulation.action_effects import read_standing
from onchain_exec.oms import OrderView, require_venues_running
from onchain_exec.risk.action import ApprovedAction, DeniedAction, check_funds, judge_action


async def decide(context: Context, order: ActionOrder, block: BlockRef) -> ApprovedAction | DeniedAction:
    """Check an action that only takes funds: its deadline, and what the account holds at ``block``."""
    verdict = check_funds(order, block, await read_funds(context, order, block), get_now(context, block))
    context.observe(Step.CHECKED, verdict)
    return verdict


async def read_funds(context: Context, order: ActionOrder, block: BlockRef) -> dict[Address, int]:
    """Return what the account holds of the tokens that the action may take, at ``block``.

    Raises:
        StaleStateError: the block has left the chain.
    """
    await context.node.require_canonical(block)
    found = await context.node.perform(read_standing(order), block)
    return dict(zip((spend.token for spend in order.spends), found.balances, strict=True))


def get_now(context: Context, block: BlockRef) -> int:
    """Return the unix second by our clock or the chain's, whichever is later: a quiet local chain's head may
    lie far from ours, and the chain's clock decides on chain."""
    return max(context.now(), block.timestamp)


async def act(context: Context, verdict: ApprovedAction | DeniedAction) -> OrderView:
    """Take an action to its end, or to where it waits; return the order as the journal holds it.

    A denial, or a transaction that reverts, also by a condition, is a state of the order.

    Raises:
        DuplicateOrderError: its client order id is taken by an order that does something else.
        HaltedError: a venue that it goes through is paused or killed, and it takes nothing back.
        OnchainExecError: what failed before anything was signed; the journal has a line of it.
    """
    match verdict:
        case DeniedAction():
            return context.journal.append_action_denial(verdict)
        case ApprovedAction(order=order):
            with failures_journalled(context, order.order_id):
                if not order.takes_back:
                    require_venues_running(context.journal.read_switches(), order.venues)
            accepted = context.journal.append_action(order, promised=context.policy.private_only)
            if accepted.order_id == order.order_id:  # otherwise another process was faster with the id
                context.observe(Step.ACCEPTED, order)
                await unless_overtaken(_execute(context, verdict))
            return context.journal.read_order(accepted.order_id)
        case never:
            assert_never(never)


async def build(context: Context, approved: ApprovedAction) -> SimulatedTx:
    """Return the action's transaction, with the approvals that it needs, simulated."""
    node, block, order = context.node, approved.block, approved.order
    guard, delegation = context.profile.get_contract("onchain_exec", "guard"), None
    if order.is_guarded and guard is not None:
        delegation = Delegation(guard, get_delegate(await node.get_code(order.account, block)))
    approvals = await node.perform(read_approvals_before(approved), block)
    plan = build_action(
        approved, approvals, await read_fees(node, block, context.policy.max_fee_wei), delegation
    )
    context.observe(Step.BUILT, plan)
    simulated = await prove(context, plan)
    context.observe(Step.SIMULATED, simulated)
    return simulated


async def _execute(context: Context, approved: ApprovedAction) -> None:
    """Send what an approved action needs, one transaction after the other, until one fails, or would break a
    condition of the order: that denies it."""
    signer, order = require_signer(context), approved.order
    deny = partial(judge_action, order)
    with failures_journalled(context, order.order_id):
        found = await judge(build(context, approved), deny)
    for step in () if isinstance(found, DeniedAction) else (*found.depends_on, found):
        with failures_journalled(context, order.order_id):
            found = await judge(catch_up(context, step), deny)
            if isinstance(found, DeniedAction):
                break
            durable = await make_durable(context, signer, found)
        if not await deliver(context, durable):
            return
    if isinstance(found, DeniedAction):
        context.journal.append_action_denial(found)
