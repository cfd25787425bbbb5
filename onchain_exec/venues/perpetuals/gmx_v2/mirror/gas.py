"""What a keeper's gas is taken to cost: an order must bring it along. Mirror of ``GasUtils``."""

from __future__ import annotations

from typing import Final

from onchain_exec.venues.perpetuals.gmx_v2.mirror.precision import apply_factor
from onchain_exec.venues.perpetuals.gmx_v2.mirror.rules import GasRules
from onchain_exec.venues.perpetuals.gmx_v2.orders import DECREASES, SWAPS, DecreaseSwap, GmxOrder

_PRICES: Final = 3
"""Oracle prices that an order without swaps needs. ``estimateOrderOraclePriceCount``."""


def get_execution_fee_wei(rules: GasRules, order: GmxOrder, gas_price_wei: int) -> int:
    """Return the least execution fee at a gas price; what the keeper does not use comes back.

    Mirror of ``validateExecutionFee``. The contract takes the transaction's own gas price, so pay for a
    higher one than today's.
    """
    swaps = len(order.swap_path)
    if order.kind in SWAPS:
        limit = rules.swap_order
    elif order.kind in DECREASES:
        limit = rules.decrease
        swaps += order.decrease_swap is not DecreaseSwap.NONE
    else:
        limit = rules.increase
    base = rules.base + rules.per_price * (_PRICES + len(order.swap_path))
    return (base + apply_factor(limit + rules.swap * swaps, rules.multiplier)) * gas_price_wei
