"""The bound of a quote as the market asks for it: how the price moves, and what a sandwich could take."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from onchain_exec.app.path.context import Context
from onchain_exec.chain import Node
from onchain_exec.core import Exact, Token, all_of
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
    """Return the quote with the reason of its bound; see `bound_quote`. Nothing is seen before it is mined
    of what is sent privately, or to a sequencer that shows it to nobody."""
    block_time_s = context.profile.gas_rules.block_time_s
    volatility = None if given else await read_volatility(context.node, quote, block_time_s)
    inclusion = Inclusion(hidden=context.policy.private_only or not context.profile.public_pool)
    return bound_quote(quote, volatility, get_attacker(quote), inclusion, given=given)


def get_attacker(quote: Quote) -> Attacker:
    """Return the cheapest attacker that a quote's route can meet: he pays for gas at the base fee alone."""
    return Attacker(GasModel(quote.block.base_fee_wei, _price_wei(quote)))


async def read_exposure(context: Context, quote: Quote) -> Exposure:
    """Return what others can take of the quote's route under its bound, if they see it; the back-run is
    over the route's own pools."""
    route, is_in = quote.route, quote.order.exact is Exact.IN
    attacker = get_attacker(quote)
    volatility = await read_volatility(context.node, quote, context.profile.gas_rules.block_time_s)
    decided, bound = (
        (quote.amount_out, quote.amount_out_min) if is_in else (quote.amount_in, quote.amount_in_max)
    )
    lateness = None if volatility is None else Lateness(decided, volatility)
    exposure = get_exposure(route, bound, attacker, lateness)
    pools = {hop.pool.key: hop.pool for hop in reversed(route.hops)}
    return replace(
        exposure,
        back_run=get_back_run(
            route, PoolSet(route.block, tuple(pools.values())), exposure.priced, attacker.gas
        ),
    )


async def read_volatility(node: Node, quote: Quote, block_time_s: int) -> Volatility | None:
    """Return how the price along the route's widest way through v3 pools moved before its block, as these
    remember it; None where it has no such way, or one of them no history."""
    way = _find_way(quote.route, quote.order.token_in)
    if way is None:
        return None
    means = await node.perform(
        all_of([read_mean_ticks(pool, _WINDOW_S, _WINDOWS) for pool, _ in way]), quote.block
    )
    if not all(means):
        return None
    blocks_each = max(1, _WINDOW_S // block_time_s)
    return combine(
        [
            estimate_volatility_of_means(ticks, blocks_each, pool.fee_pips(hop.token_in, hop.token_out))
            for ticks, (pool, hop) in zip(means, way, strict=True)
        ]
    )


def _find_way(route: Route, token: Token) -> list[tuple[UniswapV3Pool, Hop]] | None:
    """Return hops through v3 pools from ``token`` to the route's end, the widest that there are."""
    if token == route.token_out:
        return []
    leaving = [hop for hop in route.hops if hop.token_in == token]
    for hop in sorted(leaving, key=lambda hop: -hop.amount_in):
        if isinstance(hop.pool, UniswapV3Pool):
            rest = _find_way(route, hop.token_out)
            if rest is not None:
                return [(hop.pool, hop), *rest]
    return None


def _price_wei(quote: Quote) -> float:
    """Return what the quote says a wei is worth, in the token whose amount the market decides; 0 where
    it does not know."""
    if not quote.gas_cost_out or not quote.gas_cost_wei:
        return 0.0
    worth = quote.gas_cost_out / quote.gas_cost_wei
    return worth if quote.order.exact is Exact.IN else worth / float(quote.mid_price)
