"""One swap step inside a range of constant liquidity. Mirror of v3 and v4 ``SwapMath``.

v4 books the rounding of a partial exact-input step as input where v3 books it as fee; their sum, and
so everything a trader sees, is the same in both.
"""

from __future__ import annotations

from typing import NamedTuple

from onchain_exec.core import Exact
from onchain_exec.core.fixed_point import PIPS, div_up
from onchain_exec.venues.concentrated import sqrt_price_math as price_math


class Step(NamedTuple):
    """What one step took and gave, in base units; ``fee_amount`` comes on top of ``amount_in``."""

    sqrt_price_x96: int
    amount_in: int
    amount_out: int
    fee_amount: int


def compute_swap_step(
    sqrt_price_x96: int, target_x96: int, liquidity: int, amount: int, fee_pips: int, exact: Exact
) -> Step:
    """Return the step from the price towards the target, as far as ``amount`` reaches.

    ``amount`` is what remains of the input (Exact.IN, fee included) or of the output (Exact.OUT). A
    target below the price sells token 0. Mirror of ``SwapMath.computeSwapStep``.
    """
    full = compute_full_step(sqrt_price_x96, target_x96, liquidity, fee_pips)
    if amount >= (full.amount_in + full.fee_amount if exact is Exact.IN else full.amount_out):
        return full
    down = target_x96 < sqrt_price_x96
    return compute_partial_step(sqrt_price_x96, liquidity, amount, fee_pips, exact, down)


def compute_full_step(sqrt_price_x96: int, target_x96: int, liquidity: int, fee_pips: int) -> Step:
    """Return the step that reaches its target. It depends on no amount, which is why steps add up."""
    amount_in, amount_out = _amounts_between(sqrt_price_x96, target_x96, liquidity)
    return Step(target_x96, amount_in, amount_out, _fee_on(amount_in, fee_pips))


def compute_partial_step(
    sqrt_price_x96: int, liquidity: int, amount: int, fee_pips: int, exact: Exact, down: bool
) -> Step:
    """Return the step whose ``amount`` is less than its target needs; see `compute_swap_step`."""
    if exact is Exact.IN:
        less_fee = amount * (PIPS - fee_pips) // PIPS
        reached = price_math.get_price_after_input(sqrt_price_x96, liquidity, less_fee, down)
        amount_in, amount_out = _amounts_between(sqrt_price_x96, reached, liquidity)
        return Step(reached, amount_in, amount_out, amount - amount_in)
    reached = price_math.get_price_after_output(sqrt_price_x96, liquidity, amount, down)
    amount_in, amount_out = _amounts_between(sqrt_price_x96, reached, liquidity)
    return Step(reached, amount_in, min(amount_out, amount), _fee_on(amount_in, fee_pips))


def _amounts_between(price: int, reached: int, liquidity: int) -> tuple[int, int]:
    if reached < price:
        return (
            price_math.get_amount0_up(reached, price, liquidity),
            price_math.get_amount1_down(reached, price, liquidity),
        )
    return (
        price_math.get_amount1_up(price, reached, liquidity),
        price_math.get_amount0_down(price, reached, liquidity),
    )


def _fee_on(amount_in: int, fee_pips: int) -> int:
    """Return the fee on top of ``amount_in``, rounded up."""
    return div_up(amount_in * fee_pips, PIPS - fee_pips)
