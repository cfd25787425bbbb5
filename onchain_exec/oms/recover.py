"""Start-up is recovery: look up first, then send the same bytes again. Nothing is signed here, and no
nonce is taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from onchain_exec.chain import Node
from onchain_exec.execution.delivery.outcome import SendOutcome
from onchain_exec.execution.delivery.send import send as send_once
from onchain_exec.execution.plan import DurableTx
from onchain_exec.oms.book.conduct import needs_cancel, needs_reprice
from onchain_exec.oms.book.states import OrderState
from onchain_exec.oms.book.switches import is_killed
from onchain_exec.oms.book.views import OrderView, SlotView
from onchain_exec.oms.journal import Journal
from onchain_exec.oms.reconcile import Reconciliation, reconcile

Send = Callable[[Node, DurableTx], Awaitable[SendOutcome]]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a start-up found and did.

    ``resent`` are journalled bytes that went out again, with what the node said: wait for them.
    ``to_cancel`` are open slots that only a cancel on the same nonce ends: their order is to be cancelled,
    its time has passed, or others have their private swap and could attack it. ``to_reprice`` are those that
    others have and nobody gains by attacking: the sooner they are mined the better. ``unsigned`` are live
    orders without swap bytes: they may be quoted again, under the same order id.
    """

    reconciliation: Reconciliation
    resent: tuple[tuple[DurableTx, SendOutcome], ...]
    to_cancel: tuple[SlotView, ...]
    to_reprice: tuple[SlotView, ...]
    unsigned: tuple[OrderView, ...]


async def recover(node: Node, journal: Journal, now: int, send: Send = send_once) -> Recovery:
    """Bring the journal up to the chain, and every open slot of the node's chain back on its way.

    Each open slot's newest bytes are sent once, in the order of their nonces, private ones to private
    endpoints, unless they belong to `Recovery.to_cancel` or ``to_reprice``; an order expires at ``now``
    (unix seconds). Orders that expired unsigned end. What all, or an account, is killed of stays as it is.

    Raises:
        ConfigError: there are private bytes to send, and no endpoint for them.
        NodeError: the node fails while the chain is read; nothing was sent.
    """
    reconciliation = await reconcile(node, journal)
    resent: list[tuple[DurableTx, SendOutcome]] = []
    to_cancel: list[SlotView] = []
    to_reprice: list[SlotView] = []
    for slot in journal.read_open().slots:
        if slot.key.chain_id != node.chain_id or is_killed(journal.read_switches(), slot.key.account):
            continue
        durable = slot.attempts[-1].tx
        if needs_cancel(slot, journal.read_order(slot.order_id), now):
            to_cancel.append(slot)
            continue
        if needs_reprice(slot):
            to_reprice.append(slot)
            continue
        outcome = await send(node, durable)
        journal.append_send_outcome(durable, outcome)
        resent.append((durable, outcome))
    return Recovery(
        reconciliation,
        tuple(resent),
        tuple(to_cancel),
        tuple(to_reprice),
        _end_expired(journal, node.chain_id, now),
    )


def _end_expired(journal: Journal, chain_id: int, now: int) -> tuple[OrderView, ...]:
    """End unsigned orders whose time has passed; return the swaps that are still good.

    An action of an account is not begun again here, since the limits it was checked against are its caller's:
    until its time has passed it waits for them, under its client order id.
    """
    unsigned = [view for view in journal.read_open().orders if view.state is OrderState.NEW]
    ours = [view for view in unsigned if view.order is None or view.order.token_in.chain_id == chain_id]
    for view in ours:
        if view.is_expired(now):
            journal.append_expiry(view.order_id)
    return tuple(view for view in ours if view.order and not view.is_expired(now))
