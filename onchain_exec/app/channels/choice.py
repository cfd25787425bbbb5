"""The choice of an order's channel: what is at stake, what there is, and the line in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import Final

from onchain_exec.app.channels.offers import find_offers
from onchain_exec.app.intents.offer import find_order_obstacle
from onchain_exec.app.path.bounds import get_attacker
from onchain_exec.app.path.context import Context, Step
from onchain_exec.core import BlockRef, Exact, Order
from onchain_exec.errors import StateError
from onchain_exec.execution.channels import Channel, Decision, Stakes, choose_channel
from onchain_exec.execution.channels.channel import LATER, SHOWN
from onchain_exec.risk.exposure import Lateness, Volatility, get_back_run
from onchain_exec.risk.exposure.sandwich import Sandwiches
from onchain_exec.risk.exposure.victim import Victim
from onchain_exec.routing import Quote
from onchain_exec.routing.tolerance import BoundReason
from onchain_exec.venues import PoolSet

_LATE_BLOCKS: Final = 12
"""How many blocks of delay are told apart; what comes later costs as much as the last."""

_FEE_BLOCKS: Final = 20

ONE_TRANSACTION: Final[Mapping[Channel, str]] = {Channel.SPLIT: "the order is one transaction"}


async def choose_way(context: Context, quote: Quote) -> Decision:
    """Return which way an accepted order goes out, chosen on the newest block and journalled. One that waits
    goes on waiting until the policy's blocks have passed, and does not wait again; none waits into its own
    deadline. What was promised to stay private does, whatever the desk's policy is by now.

    Raises:
        UnsupportedOrderError: no way is left.
    """
    head, policy = await context.node.get_block(), context.policy.channels
    view, excluded = context.journal.read_order(quote.order.order_id), dict(ONE_TRANSACTION)
    before, gas_later = view.decision, Fraction(1)
    if view.stays_private:
        excluded |= dict.fromkeys(SHOWN, "it was promised to stay private")
    if Channel.WAIT in policy.allowed:
        waiting = before if before and before.channel is Channel.WAIT else None
        if waiting and head.number - waiting.block_number < policy.wait_blocks:
            return waiting
        if why := _find_haste(context, quote.order, before, head):
            excluded[Channel.WAIT] = why
        gas_later = await _forecast_gas(context, head)
    decision = decide_channel(context, quote, head, excluded, gas_later)
    context.journal.append_channel(quote.order.order_id, decision)
    return decision


def _find_haste(context: Context, order: Order, before: Decision | None, head: BlockRef) -> str:
    """Return why an order cannot wait, or nothing."""
    if before and (before.channel is Channel.WAIT or Channel.WAIT in dict(before.excluded)):
        return "it has waited"
    waits_s = context.policy.channels.wait_blocks * context.profile.gas_rules.block_time_s
    left_s = order.expires_at - max(context.now(), head.timestamp)
    return "it would expire first" if waits_s >= left_s else ""


def decide_channel(
    context: Context,
    quote: Quote,
    head: BlockRef,
    excluded: Mapping[Channel, str] = ONE_TRANSACTION,
    gas_later: Fraction = Fraction(1),
) -> Decision:
    """Return the way for an order of this quote, chosen at ``head`` without those that are ``excluded``.
    After a wait gas is expected to cost ``gas_later`` times what it does now.

    Raises:
        UnsupportedOrderError: no way is left.
    """
    offers, policy = find_offers(context), context.policy.channels
    if why := find_order_obstacle(quote.order):
        excluded = {**excluded, Channel.INTENT: why}
    stakes = get_stakes(quote, gas_later, shares=Channel.SHARED in offers.records.keys() & policy.allowed)
    if not context.profile.public_pool:
        stakes = replace(stakes, at_stake=0)
    policy = replace(policy, allowed=policy.allowed - (LATER & excluded.keys()))
    offers = replace(offers, missing={**offers.missing, **excluded})
    decision = choose_channel(stakes, offers, policy, head.number)
    context.observe(Step.CHANNELLED, decision)
    return decision


async def _forecast_gas(context: Context, head: BlockRef) -> Fraction:
    """Return the mean base fee of the last blocks over the newest: it returns to its mean."""
    history = await context.node.fee_history(_FEE_BLOCKS, (), head)
    fees = history.base_fees_wei
    return Fraction(sum(fees), len(fees) * max(head.base_fee_wei, 1)) if fees else Fraction(1)


def get_stakes(quote: Quote, gas_later: Fraction = Fraction(1), *, shares: bool = False) -> Stakes:
    """Return what an order stands to lose by its quote: as the quote's bound was reasoned, where it was. The
    back-run, over the route's own pools, is looked for only where somebody might pay for it (``shares``)."""
    route, told = quote.route, quote.tolerance
    pools = {hop.pool.key: hop.pool for hop in reversed(route.hops)}
    deviation = told.deviation_per_block if told else None
    lateness = Lateness(route.searched_amount, Volatility(deviation)) if deviation is not None else None
    attacker = get_attacker(quote)
    gas_cost = int(attacker.gas.cost(route.gas_units))
    return Stakes(
        at_stake=_get_at_stake(quote),
        back_run=get_back_run(route, PoolSet(route.block, tuple(pools.values())), route.priced, attacker.gas)
        if shares
        else 0,
        late_costs=tuple(lateness.get_adverse(blocks) for blocks in range(_LATE_BLOCKS)) if lateness else (),
        gas_cost=gas_cost,
        gas_cost_later=int(gas_cost * gas_later),
        impact_cost=_get_impact_cost(quote),
        slack=_get_slack(quote),
    )


def _get_at_stake(quote: Quote) -> int:
    """Return what the sandwich that nets most takes under the quote's bound; all that the bound allows where
    that is not to be found."""
    route, told = quote.route, quote.tolerance
    if told:
        return 0 if told.reason is BoundReason.SANDWICH else told.at_stake  # drawn where none pays
    slack = _get_slack(quote)
    if not route.legs:
        return slack
    try:
        return Sandwiches(Victim(route), get_attacker(quote)).find(slack).victim_loss
    except StateError:
        return slack


def _get_impact_cost(quote: Quote) -> int:
    """Return the quote's impact, told in token_out, in the token that the order leaves open; rounded up."""
    if quote.route.exact is Exact.IN:
        return quote.impact_cost
    return ceil(quote.impact_cost / quote.mid_price)


def _get_slack(quote: Quote) -> int:
    """Return what lies between the quote and its bound."""
    if quote.route.exact is Exact.IN:
        return quote.route.amount_out - quote.amount_out_min
    return quote.amount_in_max - quote.route.amount_in
