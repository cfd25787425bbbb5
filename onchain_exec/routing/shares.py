"""What each hop of a route carries and what it costs, for people to look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onchain_exec.core import Address
from onchain_exec.core.fixed_point import BPS
from onchain_exec.routing.settlement.flow import Flow, order_tokens
from onchain_exec.venues import Hop

if TYPE_CHECKING:
    from onchain_exec.routing.route import Route


@dataclass(frozen=True, slots=True)
class HopShare:
    """A hop with the part of the whole order that it carries, 0 to 1, and its costs in 1e-4 of what it
    takes: the pool's fee, and how far the rate after it is below the spot price that the hop met."""

    hop: Hop
    share: float
    fee_bps: float
    impact_bps: float


def get_token_order(route: Route) -> list[Address]:
    """Return the tokens of the route, each before those that it is traded for."""
    return order_tokens(
        Flow(hop.pool, hop.token_in, hop.token_out, hop.amount_in, hop.amount_out, hop.amount_in, number)
        for number, hop in enumerate(route.hops)
    )


def get_hop_shares(route: Route) -> list[HopShare]:
    """Return the hops in the order of the tokens they leave, the widest first."""
    order = get_token_order(route)
    leaving = {token: [hop for hop in route.hops if hop.token_in.address == token] for token in order}
    reached = defaultdict[Address, float](float, {route.token_in.address: 1.0})
    found: list[HopShare] = []
    for token in order:
        total = sum(hop.amount_in for hop in leaving[token])
        for hop in sorted(leaving[token], key=lambda hop: -hop.amount_in):
            share = reached[token] * hop.amount_in / total if total else 0.0
            reached[hop.token_out.address] += share
            found.append(HopShare(hop, share, *_costs(hop)))
    return found


def _costs(hop: Hop) -> tuple[float, float]:
    kept = hop.amount_in - hop.fee_amount
    if not kept:
        return float(BPS), 0.0
    rate = hop.amount_out / (kept * hop.pool.spot_price(hop.token_in, hop.token_out))
    return hop.fee_amount / hop.amount_in * BPS, float(1 - rate) * BPS


def get_columns(shares: Sequence[HopShare], order: Sequence[Address]) -> dict[Address, int]:
    """Return how many hops at most lead to each token."""
    columns = dict.fromkeys(order, 0)
    for share in shares:  # in the tokens' order: what leads to a token is settled before it is left
        here, there = share.hop.token_in.address, share.hop.token_out.address
        columns[there] = max(columns[there], columns[here] + 1)
    return columns
