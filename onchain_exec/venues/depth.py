"""How much a pool takes before its price moves too far, for pools without a closed form of it."""

from __future__ import annotations

from onchain_exec.core import Exact, Token
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import BPS, MAX_UINT128
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.exact_out import find_taken
from onchain_exec.venues.pool import Pool


def find_depth(pool: Pool, token_in: Token, token_out: Token, impact_bps: int) -> int:
    """Return the largest amount_in, fee included, that leaves at least ``1 - impact_bps`` of the spot price.

    Each trial is a whole exact swap; what the pool refuses counts as too much, except the amounts so
    small that they would give nothing.

    Raises:
        PoolRevertError: the pool refuses every amount.
    """
    floor = pool.spot_price(token_in, token_out) * (BPS - impact_bps) / BPS
    quote = pool.quoter(token_in, token_out, Exact.IN)

    def leaves_price(amount: int) -> bool:
        try:
            after = pool.swap(token_in, token_out, find_taken(quote, amount), Exact.IN).pool_after
        except PoolRevertError:
            return False
        return after.spot_price(token_in, token_out) >= floor

    least = next((1 << bit for bit in range(128) if _takes(pool, token_in, token_out, 1 << bit)), 0)
    if not least or not leaves_price(least):
        return 0
    depth = find_largest(leaves_price, least, MAX_UINT128)
    # the last amount may itself be one that the pool happens to refuse
    return depth if _takes(pool, token_in, token_out, depth) else depth - 1


def _takes(pool: Pool, token_in: Token, token_out: Token, amount: int) -> bool:
    try:
        pool.quote(token_in, token_out, amount, Exact.IN)
    except PoolRevertError:
        return False
    return True
