"""What a route leaves to whoever trades right after it: the arbitrage that it opens."""

from __future__ import annotations

from onchain_exec.core import Exact, Token
from onchain_exec.errors import NoPoolError
from onchain_exec.routing import GasModel, Route, find_arbitrage
from onchain_exec.venues import Pool, PoolSet


def get_back_run(route: Route, pools: PoolSet, token: Token, gas: GasModel) -> int:
    """Return what closed trades from ``token`` gain on ``pools`` after the route beyond what they gained
    before it, after gas, in its base units; at least 0.

    ``pools`` are of the route's block and should be all that are known. ``gas.token_per_wei`` prices wei
    in ``token``.
    """
    after = get_pools_after(route)
    moved = PoolSet(pools.block, tuple(after.get(pool.key, pool) for pool in pools.pools))
    return max(0, _get_gain(token, moved, gas) - _get_gain(token, pools, gas))


def get_pools_after(route: Route) -> dict[str, Pool]:
    """Return the route's pools, by key, as it leaves them."""
    last = {hop.pool.key: hop for hop in route.hops}  # each hop holds its pool as the hops before left it
    return {
        key: hop.pool.swap(hop.token_in, hop.token_out, hop.amount_in, Exact.IN).pool_after
        for key, hop in last.items()
    }


def _get_gain(token: Token, pools: PoolSet, gas: GasModel) -> int:
    try:
        found = find_arbitrage(token, pools, gas)
    except NoPoolError:
        return 0
    if found is None:
        return 0
    return found.profit - gas.cost(found.gas_units, sum(len(leg.hops) for leg in found.legs))
