"""How much a pool takes before its price moves too far, for pools without a closed form of it."""

from __future__ import annotations

from onchain_exec.core import Exact, Token
from onchain_exec.core.bisection import find_largest
from onchain_exec.core.fixed_point import BPS, MAX_UINT128
from onchain_exec.errors import PoolRevertError
from onchain_exec.venues.pool import Pool


def find_depth(pool: Pool, token_in: Token, token_out: Token, impact_bps: int) -> int:
    """Return the largest amount_in, fee included, that leaves at least ``1 - impact_bps`` of the spot price.

    Each trial is a whole exact swap; what the pool would refuse counts as too much. Amounts so small
    that the pool refuses them for giving nothing are skipped.
    """
    floor = pool.spot_price(token_in, token_out) * (BPS - impact_bps) / BPS

    def leaves_price(amount: int) -> bool | None:
        try:
            after = pool.swap(token_in, token_out, amount, Exact.IN).pool_after
        except PoolRevertError:
            return None
        return after.spot_price(token_in, token_out) >= floor

    least = next((1 << bit for bit in range(128) if leaves_price(1 << bit) is not None), 0)
    if not least or not leaves_price(least):
        return 0
    return find_largest(lambda amount: bool(leaves_price(amount)), least, MAX_UINT128)
