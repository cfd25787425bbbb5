"""Looking after intents that a stop left, or whose cancellation is asked for."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from itertools import count

from onchain_exec.app.channels.dispatch import dispatch
from onchain_exec.app.intents.lanes import make_cancel
from onchain_exec.app.intents.waiting import show
from onchain_exec.app.path.actions import build, decide
from onchain_exec.app.path.context import Context
from onchain_exec.app.path.run import failures_journalled, make_durable
from onchain_exec.clearing.settle import Signed
from onchain_exec.core import Address, BlockRef
from onchain_exec.core.action import ActionOrder
from onchain_exec.errors import HaltedError, NodeError, OnchainExecError
from onchain_exec.execution import Signer
from onchain_exec.execution.delivery.sign import sign_message
from onchain_exec.oms import OrderView, require_not_killed
from onchain_exec.oms.book.intent_terms import SEQ, LaneKey
from onchain_exec.oms.book.states import OrderState
from onchain_exec.oms.book.views import IntentView
from onchain_exec.risk.action import DeniedAction

log = logging.getLogger(__name__)

_FAILED = frozenset({OrderState.DENIED, OrderState.REJECTED, OrderState.EXPIRED, OrderState.FAILED})
"""What became of a cancellation that is to be tried anew."""


async def look_after_intents(context: Context, signers: Mapping[Address, Signer], head: BlockRef) -> None:
    """Show to the book what it lacks of the intents that can still be filled, and cancel those that are to
    be.

    Raises:
        NodeError: the node fails; the rest waits for the next head.
    """
    for view in context.journal.intents.read_unsettled(context.node.chain_id):
        if view.order is None or view.intent is None or view.intent.end:
            continue
        signer = signers.get(view.order.account)
        if view.state is not OrderState.CANCEL_PENDING:
            await show(context, view.order_id, head)
        elif signer is not None and head.timestamp <= view.intent.terms.deadline_at:
            await _cancel(context, signer, view, view.intent)


async def _cancel(context: Context, signer: Signer, view: OrderView, intent: IntentView) -> None:
    """Withdraw the intent, and send what passes its lane, unless that is on its way. Either may come too
    late: only the chain says which of the two it was."""
    try:
        require_not_killed(context.journal.read_switches(), signer.address)
        earlier = context.journal.find_order(name := _find_name(context, view.order_id))
        if earlier is not None and earlier.state is not OrderState.NEW:
            return
        await _withdraw(context, signer, intent)
        block = await context.node.get_block()
        terms, order_id = intent.terms, earlier.order_id if earlier else uuid.uuid4().hex
        key = LaneKey(terms.chain_id, terms.contract, signer.address, terms.lane)
        await _send(context, signer, make_cancel(key, SEQ, order_id, name, terms.deadline_at), block)
    except NodeError:
        raise
    except HaltedError as error:
        log.info("the intent is not cancelled: %s", error, extra={"order_id": view.order_id})
    except OnchainExecError as error:
        log.warning("the lane was not cancelled: %s", error, extra={"order_id": view.order_id})


def _find_name(context: Context, order_id: str) -> str:
    """Return the client order id of the cancellation that is under way, or of the next."""
    names = (f"cancel-intent:{order_id}:{tried}" for tried in count())
    tries = ((name, context.journal.find_order(name)) for name in names)
    return next(name for name, earlier in tries if earlier is None or earlier.state not in _FAILED)


async def _withdraw(context: Context, signer: Signer, intent: IntentView) -> None:
    digest, book = bytes.fromhex(intent.digest[2:]), context.intent_book
    if book is None:
        return
    try:
        message = intent.terms.domain.get_withdrawal_data(digest)
        word = Signed.by_key(bytes(await sign_message(message, signer.address, signer)))
        await book.withdraw(digest, word)
    except OnchainExecError as error:
        log.info("the book still shows %s: %s", intent.digest, error)


async def _send(context: Context, signer: Signer, order: ActionOrder, block: BlockRef) -> None:
    verdict = await decide(context, order, block)
    if isinstance(verdict, DeniedAction):
        context.journal.append_action_denial(verdict)
        return
    context.journal.append_action(order, promised=context.policy.private_only)
    with failures_journalled(context, order.order_id):
        durable = await make_durable(context, signer, await build(context, verdict))
    await dispatch(context, durable)
