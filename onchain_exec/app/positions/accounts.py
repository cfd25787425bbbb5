"""Accounts with collateral on a known chain: foreseen, and acted on along the path of every order."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from onchain_exec.app.path.actions import act, get_now, read_funds
from onchain_exec.app.path.context import Context, Step
from onchain_exec.app.path.recover import continue_action
from onchain_exec.app.path.run import failures_journalled, require_signer
from onchain_exec.app.positions.reads import read_position
from onchain_exec.app.request import require_client_order_id
from onchain_exec.core import Address, Condition
from onchain_exec.core.action import ActionOrder
from onchain_exec.core.hashing import keccak
from onchain_exec.errors import InputError
from onchain_exec.oms import OrderView
from onchain_exec.risk.action import ApprovedAction, DeniedAction
from onchain_exec.risk.collateral import NO_LIMITS, CollateralLimits, Preview, check_action
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

    With a ``client_order_id`` the call is idempotent, as a swap's is: again with the same actions, guards and
    name of the venue it is that order, whatever became of the account. A denial, or a transaction that
    reverts, also by a guard, is a state of the order.

    Raises:
        DuplicateOrderError: the id is taken by an order that does something else.
        HaltedError: the venue is paused or killed.
        OnchainExecError: what failed before anything was signed; the journal has a line of it.
    """
    if not request.actions:
        raise InputError("no action", needed="one or more")
    require_client_order_id(request.client_order_id)
    earlier = context.journal.find_order(request.client_order_id) if request.client_order_id else None
    asked = _make_order(context, request, earlier.order_id if earlier else uuid.uuid4().hex)
    if earlier is not None and (done := await continue_action(context, earlier, asked)) is not None:
        return done
    with failures_journalled(context, asked.order_id):
        block = await context.node.get_block("latest")
        named = list_named(request.actions)
        account = await read_position(context, request.venue, asked.account, block, named)
        order = _fill_in(context, asked, request, account)
        preview = Preview(block, account.health, foresee(account, request.actions).health)
        verdict = await decide(context, order, preview, request.limits)
    return await act(context, verdict)


async def decide(
    context: Context, order: ActionOrder, preview: Preview, limits: CollateralLimits
) -> ApprovedAction | DeniedAction:
    """Check an action against what the mirror previews and what the account holds at the same block."""
    funds = await read_funds(context, order, preview.block)
    verdict = check_action(order, preview, funds, limits, get_now(context, preview.block))
    context.observe(Step.CHECKED, verdict)
    return verdict


def _make_order(context: Context, request: ActionRequest, order_id: str) -> ActionOrder:
    """Return the order as it was asked for, which tells it from others; the calls are still to be found."""
    return ActionOrder(
        order_id=order_id,
        client_order_id=request.client_order_id or order_id,
        account=require_signer(context).address,
        venue=request.venue,
        calls=(),
        conditions=tuple(request.guards),
        expires_at=0,
        fingerprint=keccak(repr((request.venue, request.actions)).encode()).hex(),
    )


def _fill_in(
    context: Context, asked: ActionOrder, request: ActionRequest, account: CollateralAccount[Any]
) -> ActionOrder:
    """Return the order with its calls; what they may take is bounded at the time up to which they may run."""
    expires_at = get_now(context, account.block) + context.policy.time_to_live_s
    late = account.at_time(expires_at)
    calls = tuple(late.encode(action) for action in request.actions)
    return replace(asked, venue=account.key, calls=calls, expires_at=expires_at)
