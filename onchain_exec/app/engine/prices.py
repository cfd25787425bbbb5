"""What an order that waits for a price is watched against: every source of its pair."""

from __future__ import annotations

from fractions import Fraction

from onchain_exec.app.path.context import Context
from onchain_exec.app.path.routers import list_executable
from onchain_exec.app.pools.discovery import find_pools
from onchain_exec.app.prices import read_price
from onchain_exec.core import BlockRef, Token


class MarketPrices:
    """The consolidated price of pools, means over time and feeds, as `AsyncDesk.price` tells it."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read_price(self, token_in: Token, token_out: Token, block: BlockRef) -> Fraction | None:
        """Return base units of ``token_out`` per base unit of ``token_in``; None if no source tells one."""
        node, profile, pair = self._context.node, self._context.profile, (token_in, token_out)
        pools = await find_pools(node, profile, [pair], block, list_executable(profile))
        max_age_s = self._context.policy.limits.max_price_age_s
        return (await read_price(node, profile, pair, pools, block, max_age_s)).price
