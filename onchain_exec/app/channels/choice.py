"""The choice of an order's channel: what is at stake, what there is, and the line in the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from onchain_exec.app.channels.offers import find_offers
from onchain_exec.app.context import Context, Step
from onchain_exec.core import BlockRef, Exact
from onchain_exec.errors import StateError
from onchain_exec.execution.channels import Channel, Decision, Stakes, choose_channel
from onchain_exec.risk.exposure import Attacker, Lateness, Volatility, get_back_run
from onchain_exec.risk.exposure.sandwich import Sandwiches
from onchain_exec.risk.exposure.victim import Victim
from onchain_exec.routing import GasModel, Quote
from onchain_exec.routing.tolerance import BoundReason
from onchain_exec.venues import PoolSet

_LATE_BLOCKS: Final = 12
"""How many blocks of delay are told apart; what comes later costs as much as the last."""

ONE_TRANSACTION: Final[Mapping[Channel, str]] = {Channel.SPLIT: "the order is one transaction"}


def decide_channel(
    context: Context, quote: Quote, head: BlockRef, excluded: Mapping[Channel, str] = ONE_TRANSACTION
) -> Decision:
    """Return the way for an order of this quote, chosen at ``head`` without those that are ``excluded``.

    Raises:
        UnsupportedOrderError: no way is left.
    """
    offers = find_offers(context)
    policy = context.policy.channels
    if context.policy.private_only and not any(channel.is_private for channel in policy.allowed):
        policy = replace(policy, allowed=frozenset({Channel.PROTECTED, Channel.PRIVATE}))
    usable = [channel for channel in offers.records if channel in policy.allowed]
    policy = replace(policy, allowed=policy.allowed - excluded.keys())
    offers = replace(offers, missing={**offers.missing, **excluded})
    stakes = get_stakes(quote, shares=Channel.SHARED in usable)
    decision = choose_channel(stakes, offers, policy, head.number)
    context.observe(Step.CHANNELLED, decision)
    return decision


def get_stakes(quote: Quote, *, shares: bool = False) -> Stakes:
    """Return what an order stands to lose by its quote: as the quote's bound was reasoned, where it was. The
    back-run, over the route's own pools, is looked for only where somebody might pay for it (``shares``)."""
    route, told = quote.route, quote.tolerance
    priced = route.token_out if route.exact is Exact.IN else route.token_in
    quoted = route.amount_out if route.exact is Exact.IN else route.amount_in
    pools = {hop.pool.key: hop.pool for hop in route.hops}
    deviation = told.deviation_per_block if told else None
    lateness = Lateness(quoted, Volatility(deviation)) if deviation is not None else None
    return Stakes(
        at_stake=_get_at_stake(quote),
        back_run=get_back_run(route, PoolSet(route.block, tuple(pools.values())), priced, GasModel())
        if shares
        else 0,
        late_costs=tuple(lateness.get_adverse(blocks) for blocks in range(_LATE_BLOCKS)) if lateness else (),
        gas_cost=(quote.gas_cost_out or 0) if route.exact is Exact.IN else 0,
        gas_cost_later=(quote.gas_cost_out or 0) if route.exact is Exact.IN else 0,
        impact_cost=quote.impact_cost,
    )


def _get_at_stake(quote: Quote) -> int:
    """Return what the sandwich that nets most takes under the quote's bound; all that the bound allows where
    that is not to be found."""
    if told := quote.tolerance:
        return 0 if told.reason is BoundReason.SANDWICH else told.at_stake  # drawn where none pays
    is_in = quote.route.exact is Exact.IN
    slack = (
        quote.route.amount_out - quote.amount_out_min
        if is_in
        else quote.amount_in_max - quote.route.amount_in
    )
    if not quote.route.legs:
        return slack
    try:
        return Sandwiches(Victim(quote.route), Attacker()).find(slack).victim_loss
    except StateError:
        return slack
