"""The bound of a quote as the market asks for it: how the price moves, and what a sandwich could take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from onchain_exec.app.context import Context
from onchain_exec.chain import Node
from onchain_exec.core import Exact, all_of
from onchain_exec.risk.exposure import (
    Attacker,
    Exposure,
    Inclusion,
    Lateness,
    Volatility,
    bound_quote,
    combine,
    estimate_volatility_of_means,
    get_back_run,
    get_exposure,
)
from onchain_exec.routing import GasModel, Quote, Route
from onchain_exec.venues import Hop, PoolSet
from onchain_exec.venues.prices import read_mean_ticks
from onchain_exec.venues.uniswap_v3 import UniswapV3Pool

_WINDOW_S: Final = 60
_WINDOWS: Final = (30, 10, 5)
"""Half an hour, or what the pool keeps of it: fewer than five windows tell nothing."""


async def bound_by_market(context: Context, quote: Quote, *, given: bool) -> Quote:
    """Return the quote with the reason of its bound; see `bound_quote`. Nothing is seen of what is sent
    privately before it is mined."""
    block_time_s = context.profile.gas_rules.block_time_s
    volatility = None if given else await read_volatility(context.node, quote, block_time_s)
    attacker = Attacker(GasModel(quote.block.base_fee_wei, _price_wei(quote)))
    return bound_quote(
        quote, volatility, attacker, Inclusion(hidden=context.policy.private_only), given=given
    )


async def read_exposure(context: Context, quote: Quote) -> Exposure:
    """Return what others can take of the quote's route under its bound, if they see it; the back-run is
    over the route's own pools."""
    route, is_in = quote.route, quote.order.exact is Exact.IN
    gas = GasModel(quote.block.base_fee_wei, _price_wei(quote))
    volatility = await read_volatility(context.node, quote, context.profile.gas_rules.block_time_s)
    decided, bound = (
        (quote.amount_out, quote.amount_out_min) if is_in else (quote.amount_in, quote.amount_in_max)
    )
    lateness = None if volatility is None else Lateness(decided, volatility)
    exposure = get_exposure(route, bound, Attacker(gas), lateness)
    pools = {hop.pool.key: hop.pool for hop in reversed(route.hops)}
    return replace(
        exposure,
        back_run=get_back_run(route, PoolSet(route.block, tuple(pools.values())), exposure.priced, gas),
    )


async def read_volatility(node: Node, quote: Quote, block_time_s: int) -> Volatility | None:
    """Return how the price along the route's widest way moved before its block, as its v3 pools remember
    it; None where one of its pairs has none in the route, or none with a history."""
    way = list(_follow_widest(quote.route))
    pools = [_find_oracle(quote.route, hop) for hop in way]
    readings = [read_mean_ticks(pool, _WINDOW_S, _WINDOWS) for pool in pools if pool is not None]
    if len(readings) < len(way):
        return None
    means = await node.perform(all_of(readings), quote.block)
    if not all(means):
        return None
    blocks_each = max(1, _WINDOW_S // block_time_s)
    return combine(
        [
            estimate_volatility_of_means(ticks, blocks_each, hop.pool.fee_pips(hop.token_in, hop.token_out))
            for ticks, hop in zip(means, way, strict=True)
        ]
    )


def _follow_widest(route: Route) -> Iterator[Hop]:
    token = route.token_in
    while token != route.token_out:
        hop = max((hop for hop in route.hops if hop.token_in == token), key=lambda hop: hop.amount_in)
        yield hop
        token = hop.token_out


def _find_oracle(route: Route, hop: Hop) -> UniswapV3Pool | None:
    """Return the v3 pool of the hop's pair that the route gives most, if it has one."""
    pair = {hop.token_in, hop.token_out}
    same = [other for other in route.hops if {other.token_in, other.token_out} == pair]
    for other in sorted(same, key=lambda other: -other.amount_in):
        if isinstance(other.pool, UniswapV3Pool):
            return other.pool
    return None


def _price_wei(quote: Quote) -> float:
    """Return what the quote says a wei is worth, in the token whose amount the market decides; 0 where
    it does not know."""
    if not quote.gas_cost_out or not quote.gas_cost_wei:
        return 0.0
    worth = quote.gas_cost_out / quote.gas_cost_wei
    return worth if quote.order.exact is Exact.IN else worth / float(quote.mid_price)
