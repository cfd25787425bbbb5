"""What liquidity two amounts buy."""

from __future__ import annotations

from onchain_exec.core.fixed_point import Q96, mul_div_down
from onchain_exec.venues.concentrated.tick_math import get_sqrt_price_at_tick


def get_liquidity(sqrt_price_x96: int, ticks: tuple[int, int], amount0: int, amount1: int) -> int:
    """Return the most liquidity between two ticks that costs no more than either amount, but for
    rounding.

    On chain: ``LiquidityAmounts.getLiquidityForAmounts`` of v3-periphery.
    """
    lower, upper = (get_sqrt_price_at_tick(tick) for tick in ticks)
    price = min(max(sqrt_price_x96, lower), upper)
    bought = []
    if price < upper:
        bought.append(mul_div_down(amount0, price * upper // Q96, upper - price))
    if price > lower:
        bought.append(mul_div_down(amount1, Q96, price - lower))
    return min(bought)
