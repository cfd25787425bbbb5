"""The path of an order, as one page. Only `app` loops; each step runs once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TypeVar, assert_never

from onchain_exec.app.channels.around import watch_trade
from onchain_exec.app.channels.attend import attend, outlasts
from onchain_exec.app.channels.choice import choose_way, decide_channel
from onchain_exec.app.channels.dispatch import dispatch
from onchain_exec.app.intents.signing import prepare_approvals, sign_intent
from onchain_exec.app.intents.waiting import wait_for_end
from onchain_exec.app.path.allowances import share_allowance
from onchain_exec.app.path.bounds import bound_by_market
from onchain_exec.app.path.context import Context, Step
from onchain_exec.app.path.market import read_market
from onchain_exec.app.path.retrial import prove
from onchain_exec.app.path.routers import get_search, list_executable
from onchain_exec.app.path.ways import find_ways, read_accounts, take_cheapest
from onchain_exec.app.prices import read_reference
from onchain_exec.core import BlockRef, Order
from onchain_exec.errors import ConfigError, OnchainExecError, OvertakenError, RevertError
from onchain_exec.execution import (
    DurableTx,
    Mined,
    Purpose,
    Reverted,
    Signer,
    SimulatedTx,
    Sources,
    StillUnknown,
    Superseded,
    confirm,
    rebase,
    sign,
)
from onchain_exec.execution.channels import Channel
from onchain_exec.oms import SWAPS, OrderState, OrderView, list_paused_venues, require_venues_running
from onchain_exec.risk import Approved, Denied, check, judge_revert
from onchain_exec.routing import Quote, find_route, make_quote
from onchain_exec.venues.pool import list_protocols

D = TypeVar("D")


async def quote_order(context: Context, order: Order, block: BlockRef, *, bound_given: bool = True) -> Quote:
    """Return the quote of ``order`` over every known pool at ``block``. Unless its slippage was given, its
    bound is as tight as the market allows."""
    paused = list_paused_venues(context.journal.read_switches())
    protocols = [protocol for protocol in list_executable(context.profile) if protocol not in paused]
    pools, gas = await read_market(context, order, block, protocols)
    context.observe(Step.READ, pools)
    route = find_route(order, pools, gas, block=block, options=get_search(context.profile, order.exact))
    context.observe(Step.ROUTED, route)
    quote = make_quote(order, route, gas, context.now())
    quote = await bound_by_market(context, quote, given=bound_given)
    context.observe(Step.QUOTED, quote)
    return quote


async def run(context: Context, quote: Quote) -> OrderView:
    """Take a quote to its end, or to where it waits; return the order as the journal holds it.

    A denial and a reverted transaction are states of the order, not exceptions. What fails before
    anything was signed is journalled and raised.
    """
    with failures_journalled(context, quote.order.order_id):
        venues = (SWAPS, *list_protocols(quote.route.hops))  # one may have been stopped since it was quoted
        require_venues_running(context.journal.read_switches(), venues)
        verdict = await decide(context, quote)
    match verdict:
        case Denied():
            return context.journal.append_denial(quote, verdict)
        case Approved():
            promised = context.policy.private_only
            accepted = context.journal.append_order(quote.order, quote, promised=promised)
            if accepted.order_id != quote.order.order_id:
                return accepted  # another process was faster with the same client order id
            context.observe(Step.ACCEPTED, quote.order)
            await unless_overtaken(execute(context, verdict))
            return context.journal.read_order(accepted.order_id)
        case never:
            assert_never(never)


async def prepare(context: Context, quote: Quote) -> SimulatedTx | Denied:
    """Go as far as `run` does before anything is journalled or signed, permits included: where `run`
    would sign one, this shows the approval that it takes the place of."""
    verdict = await decide(context, quote)
    if isinstance(verdict, Approved):
        decide_channel(context, quote, quote.block)
    return verdict if isinstance(verdict, Denied) else await build(context, verdict, None)


async def decide(context: Context, quote: Quote) -> Approved | Denied:
    """Check a fresh quote against the account at the quote's block and the desk's limits: one router
    whose allowance passes is enough."""
    await context.node.require_canonical(quote.block)
    quote.require_fresh(context.now(), context.policy.limits.max_quote_age_s)
    accounts = await read_accounts(context, quote.order, quote.block)
    limits, now = context.policy.limits, context.now()
    reference = await read_reference(context.node, context.profile, quote, limits.max_price_age_s)
    verdicts = [check(quote, account, limits, now, reference) for account in accounts.values()]
    verdict = next((found for found in verdicts if isinstance(found, Approved)), verdicts[0])
    context.observe(Step.CHECKED, verdict)
    return verdict


async def execute(context: Context, approved: Approved) -> None:
    """Send what an approved order needs, one transaction after the other, until one fails, or would
    break a condition of the order: that denies it."""
    signer, order = require_signer(context), approved.quote.order
    with failures_journalled(context, order.order_id):
        found, channel = await build(context, approved, signer), Channel.WAIT
        while isinstance(found, SimulatedTx):
            channel = (await choose_way(context, approved.quote)).channel
            if channel is not Channel.WAIT:
                break
            if not await outlasts(context, order, found.block):
                context.journal.append_expiry(order.order_id)
                return
            found = await build(context, approved, signer)
    if channel is Channel.INTENT:
        await _trade_by_intent(context, signer, approved)
        return
    for step in () if isinstance(found, Denied) else (*found.depends_on, found):
        with failures_journalled(context, order.order_id):
            found = await _judge_swap(context, order, renew(context, step))
            if isinstance(found, Denied):
                break
            durable = await make_durable(context, signer, found)
        if not await deliver(context, durable):
            return
    if isinstance(found, Denied):
        context.journal.append_denial(approved.quote, found)


async def _trade_by_intent(context: Context, signer: Signer, approved: Approved) -> None:
    """Let Settle pull what the order sells, sign the order for it, and wait for who settles it."""
    order_id = approved.quote.order.order_id
    with failures_journalled(context, order_id):
        steps = await prepare_approvals(context, approved)
    if isinstance(steps, Denied):
        context.journal.append_denial(approved.quote, steps)
        return
    for step in steps:
        with failures_journalled(context, order_id):
            durable = await make_durable(context, signer, await renew(context, step))
        if not await deliver(context, durable):
            return
    with failures_journalled(context, order_id):
        await sign_intent(context, signer, approved.quote)
    await wait_for_end(context, order_id)


async def build(context: Context, approved: Approved, signer: Signer | None) -> SimulatedTx | Denied:
    """Return the swap through the router that costs least, simulated on the newest block together with
    all it depends on: an order whose swap would fail sends nothing, not even its approval. ``signer``
    signs permits, or nobody does, as with ``private_only``, now or when the order was accepted: the nodes
    that simulate would see them. A swap that would break a condition of its order is denied."""
    order_id = approved.quote.order.order_id
    hides = context.policy.private_only or (signer and context.journal.read_order(order_id).stays_private)
    sources = Sources(context.node, context.policy.max_fee_wei, permit_signer=None if hides else signer)
    ways = await find_ways(context, approved)
    return await _judge_swap(context, approved.quote.order, take_cheapest(context, ways, sources))


async def _judge_swap(context: Context, order: Order, trial: Awaitable[SimulatedTx]) -> SimulatedTx | Denied:
    found = await judge(trial, partial(judge_revert, order))
    if isinstance(found, Denied):
        context.observe(Step.CHECKED, found)
    return found


async def judge(trial: Awaitable[SimulatedTx], deny: Callable[[RevertError], D | None]) -> SimulatedTx | D:
    """Return what a simulation proves, or the denial that ``deny`` makes of its revert: of an order whose own
    condition it breaks."""
    try:
        return await trial
    except RevertError as error:
        if (denied := deny(error)) is None:
            raise
        return denied


async def renew(context: Context, simulated: SimulatedTx) -> SimulatedTx:
    """Simulate again what waited for the transactions before it: the chain has moved on meanwhile."""
    if not simulated.depends_on:
        return simulated
    return await _simulate_on(context, simulated, await context.node.get_block("latest"))


async def catch_up(context: Context, simulated: SimulatedTx) -> SimulatedTx:
    """Simulate again wherever the chain has moved on: what others took meanwhile then costs no gas."""
    head, seen = await context.node.get_block("latest"), simulated.block
    if simulated.depends_on or (head.number >= seen.number and head.hash != seen.hash):
        return await _simulate_on(context, simulated, head)
    return simulated


async def _simulate_on(context: Context, simulated: SimulatedTx, head: BlockRef) -> SimulatedTx:
    plan = rebase(simulated.plan, head, mined=True)
    renewed = await prove(context, plan)
    context.observe(Step.SIMULATED, renewed)
    return renewed


async def make_durable(context: Context, signer: Signer, simulated: SimulatedTx) -> DurableTx:
    """Lease a nonce, sign, and write the bytes down: after this a crash loses nothing."""
    plan = simulated.plan
    floor = await context.node.get_nonce(plan.sender)
    nonce = context.journal.reserve_nonce(
        plan.block.chain_id, plan.sender, plan.order_id, plan.purpose, floor
    )
    context.observe(Step.LEASED, nonce)
    return await sign_and_journal(context, signer, await share_allowance(context, simulated, nonce), nonce)


async def sign_and_journal(context: Context, signer: Signer, simulated: SimulatedTx, nonce: int) -> DurableTx:
    """Sign at a nonce that the journal granted, and write the bytes down."""
    signed = await sign(simulated, nonce, signer)
    context.observe(Step.SIGNED, signed)
    order_id, purpose = simulated.plan.order_id, simulated.plan.purpose
    decision = context.journal.read_order(order_id).decision
    is_hidden = decision is not None and decision.channel.is_private and purpose is not Purpose.CANCEL
    durable = context.journal.write_signed(order_id, signed, private=context.policy.private_only or is_hidden)
    context.observe(Step.JOURNALLED, durable)
    return durable


async def deliver(context: Context, durable: DurableTx) -> bool:
    """Send journalled bytes and wait; return whether they were mined and succeeded."""
    sent_at = await context.node.get_block() if durable.private else None
    await dispatch(context, durable)
    return await wait(context, durable, sent_at)


async def wait(context: Context, durable: DurableTx, sent_at: BlockRef | None = None) -> bool:
    """Wait for bytes that were sent, looking after private ones at each block; return whether they were
    mined and succeeded."""
    left_s = await attend(context, durable, sent_at)
    outcome = await confirm(context.node, durable, context.policy.confirmations, left_s)
    context.observe(Step.CONFIRMED, outcome)
    context.journal.append_outcome(durable, outcome)
    context.observe(Step.RECORDED, durable)
    await watch_trade(context, durable.order_id)
    match outcome:
        case Mined():
            return True
        case Reverted() | Superseded() | StillUnknown():
            return False
        case never:
            assert_never(never)


@contextmanager
def failures_journalled(context: Context, order_id: str) -> Iterator[None]:
    """Journal what fails before the order's own bytes are durable. After that nothing is a failure: the
    transaction may be mined, and only the chain can say.

    Raises:
        OvertakenError: it did not fail, for another process signed it, or somebody cancelled it, meanwhile.
    """
    try:
        yield
    except OnchainExecError as error:
        view = context.journal.append_failure(order_id, error)
        if view.state is not OrderState.REJECTED:
            raise OvertakenError(
                f"order {order_id} became {view.state.value} while it was prepared here",
                needed="a NEW order",
                todo="Read it in the journal: what was prepared here was neither signed nor sent",
            ) from error
        raise


async def unless_overtaken(execution: Awaitable[None]) -> None:
    """Run what executes an accepted order, and step back if another process does, or somebody cancels it:
    the journal has what becomes of it."""
    with suppress(OvertakenError):
        await execution


def require_signer(context: Context) -> Signer:
    """Return the desk's signer, or raise ConfigError: this desk can only look."""
    if context.signer is None:
        raise ConfigError(
            "this desk has no signer",
            needed="a key to trade with",
            todo="Set ONCHAIN_EXEC_KEYSTORE and ONCHAIN_EXEC_KEYSTORE_PASSWORD, or pass signer=...",
        )
    return context.signer
