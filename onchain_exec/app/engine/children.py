"""From a parent's move to a child on its way: quote, bounds, check, journal, and one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

from onchain_exec.app.channels.choice import choose_way, decide_channel
from onchain_exec.app.channels.dispatch import dispatch
from onchain_exec.app.engine.lane import Lane
from onchain_exec.app.intents.signing import prepare_approvals, sign_intent
from onchain_exec.app.intents.waiting import show
from onchain_exec.app.path.run import make_durable
from onchain_exec.core import Address, BlockRef, Exact, Order, ParentOrder
from onchain_exec.errors import (
    DuplicateOrderError,
    HaltedError,
    JournalError,
    NodeError,
    OnchainExecError,
    OrderBookError,
    StateError,
)
from onchain_exec.execution import Signer
from onchain_exec.execution.channels import Channel
from onchain_exec.oms import SWAPS, OrderView, ParentView, require_running, require_venues_running
from onchain_exec.oms.engine import End, get_limit_bound, kill
from onchain_exec.risk import Approved, Denied
from onchain_exec.routing import Quote, bind_quote

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chance:
    """A parent that may begin a child, and the account that is free for it."""

    view: ParentView
    amount: int
    account: Address


async def begin(lane: Lane, chance: Chance, head: BlockRef, now: int) -> None:
    """Begin a child if the market gives the price; a fill-or-kill order ends if it does not."""
    parent = chance.view.parent
    try:
        quote = await _find_quote(lane, chance, head, now)
        if quote is not None and (parts := _count_parts(lane, parent, quote, head)) > 1:
            part = replace(chance, amount=-(-chance.amount // parts))
            quote = await _find_quote(lane, part, head, now)
    except StateError as error:
        quote = None
        why = str(error)
    else:
        why = "the market does not give the price"
    if quote is not None:
        await _accept(lane, quote, promised=chance.view.promised)
    elif parent.fill_or_kill:
        end_parent(lane, chance.view, kill(why))


def _count_parts(lane: Lane, parent: ParentOrder, quote: Quote, head: BlockRef) -> int:
    """Return in how many parts a child is expected to cost least, one after the other."""
    policy = lane.context.policy.channels
    if parent.fill_or_kill or Channel.SPLIT not in policy.allowed:
        return 1
    decision = decide_channel(lane.context, quote, head, excluded={})
    return policy.parts if decision.channel is Channel.SPLIT else 1


async def advance(lane: Lane, view: OrderView, head: BlockRef, now: int) -> None:
    """Take a child that was accepted, and has no swap bytes, one transaction further, under the bounds
    it was accepted on; end it if its time has passed or the market no longer gives them."""
    journal, order, accepted = lane.context.journal, view.order, view.quote
    if order is None or accepted is None:
        return
    if order.expires_at < now:
        journal.append_expiry(view.order_id)
        return
    with _failures_settled(lane, view.order_id):
        require_running(switches := journal.read_switches(), order.account)
        require_venues_running(switches, (SWAPS,))
        quote = await lane.path.quote(order, head)
        bound = bind_quote(quote, accepted.amount_out_min, accepted.amount_in_max)
        match await lane.path.check(bound):
            case Approved() as approved:
                await _proceed(lane, approved)
            case Denied() as denied:
                journal.append_denial(bound, denied)


def end_parent(lane: Lane, view: ParentView, end: End) -> None:
    """Write down that a parent trades no more."""
    log.info("parent ends: %s", end.failure.found, extra={"order_id": view.parent.order_id})
    lane.context.journal.append_parent_end(view.parent.order_id, end.happened, end.failure)


async def _find_quote(lane: Lane, chance: Chance, head: BlockRef, now: int) -> Quote | None:
    """Return the child's quote under its parent's bounds; None while a price is not met.

    Raises:
        StateError: the market has no answer, or none within the bounds.
    """
    parent, order = chance.view.parent, _make_child(lane, chance, now)
    price = None
    if lane.prices and (parent.stop_price or parent.limit_price):
        price = await lane.prices.read_price(order.token_in, order.token_out, head)
    if price is not None and not _is_met(parent, price):
        return None
    quote = await lane.path.quote(order, head)
    if price is None and not _is_met(parent, quote.mid_price):
        return None
    bound = get_limit_bound(parent, order.amount)
    if bound is None:
        return quote
    if parent.exact is Exact.IN:
        return bind_quote(quote, max(bound, quote.amount_out_min), quote.amount_in_max)
    return bind_quote(quote, quote.amount_out_min, min(bound, quote.amount_in_max))


async def _accept(lane: Lane, quote: Quote, *, promised: bool) -> None:
    """Journal the verdict on a child's quote and, if it may trade, send its first transaction: a private one
    where that was ``promised`` to its parent."""
    journal = lane.context.journal
    order = quote.order
    try:
        match await lane.path.check(quote):
            case Denied() as denied:
                journal.append_denial(quote, denied)
                return
            case Approved() as approved:
                journal.append_order(order, quote, promised=promised or lane.context.policy.private_only)
    except (NodeError, StateError, DuplicateOrderError) as error:  # a duplicate: another engine was faster
        log.info("child not begun: %s", error, extra={"order_id": order.order_id})
        return
    with _failures_settled(lane, order.order_id):
        await _proceed(lane, approved)


async def _proceed(lane: Lane, approved: Approved) -> None:
    """Sign and send the first transaction that the order needs; what follows waits until it is mined."""
    signer = lane.signers[approved.account.owner]
    match await lane.path.build(approved, signer):
        case Denied() as denied:
            lane.context.journal.append_denial(approved.quote, denied)
        case simulated:
            channel = (await choose_way(lane.context, approved.quote)).channel
            if channel is Channel.WAIT:
                return
            if channel is Channel.INTENT:
                await _intend(lane, approved, signer)
                return
            first = (*simulated.depends_on, simulated)[0]
            await dispatch(lane.context, await make_durable(lane.context, signer, first))


async def _intend(lane: Lane, approved: Approved, signer: Signer) -> None:
    """Send the first approval that the intent of an order lacks or, where it lacks none, sign and show it."""
    context = lane.context
    steps = await prepare_approvals(context, approved)
    if isinstance(steps, Denied):
        context.journal.append_denial(approved.quote, steps)
        return
    if steps:
        await dispatch(context, await make_durable(context, signer, steps[0]))
        return
    view = await sign_intent(context, signer, approved.quote)
    await show(context, view.order_id, await context.node.get_block())


@contextmanager
def _failures_settled(lane: Lane, order_id: str) -> Iterator[None]:
    """End the order for what the market or the signer refuses; let it wait for what can pass."""
    try:
        yield
    except (NodeError, HaltedError, JournalError, OrderBookError) as error:
        log.info("order waits: %s", error, extra={"order_id": order_id})
    except OnchainExecError as error:
        lane.context.journal.append_failure(order_id, error)


def _is_met(parent: ParentOrder, price: Fraction) -> bool:
    stop, limit = parent.stop_price, parent.limit_price
    return (stop is None or price <= stop) and (limit is None or price >= limit)


def _make_child(lane: Lane, chance: Chance, now: int) -> Order:
    """Return the next child: its id follows from the parent's and how many came before, so that it is
    begun once, whoever tries and however often."""
    parent = chance.view.parent
    order_id = f"{parent.order_id}.{len(chance.view.children) + 1}"
    return Order(
        order_id=order_id,
        client_order_id=order_id,
        account=chance.account,
        recipient=parent.recipient or chance.account,
        token_in=parent.token_in,
        token_out=parent.token_out,
        amount=chance.amount,
        exact=parent.exact,
        max_slippage_bps=parent.max_slippage_bps,
        expires_at=min(parent.expires_at, now + lane.context.policy.time_to_live_s),
        parent_id=parent.order_id,
        conditions=parent.conditions,
    )
