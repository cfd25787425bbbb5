"""Amounts between two prices, and prices after an amount. Mirror of v3 and v4 ``SqrtPriceMath``.

Token 0 is sold by a falling price. What the pool takes is rounded up and what it gives rounded down,
so every inexact step favours the pool.
"""

from __future__ import annotations

from onchain_exec.core.fixed_point import MAX_UINT160, MAX_UINT256, Q96, div_up, mul_div_up
from onchain_exec.errors import PoolRevertError


def get_amount0_down(lower_x96: int, upper_x96: int, liquidity: int) -> int:
    """Return token 0 between two prices, rounded down. Mirror of ``getAmount0Delta(.., false)``."""
    return (liquidity << 96) * (upper_x96 - lower_x96) // upper_x96 // lower_x96


def get_amount0_up(lower_x96: int, upper_x96: int, liquidity: int) -> int:
    """Return token 0 between two prices, rounded up twice. Mirror of ``getAmount0Delta(.., true)``."""
    return div_up(div_up((liquidity << 96) * (upper_x96 - lower_x96), upper_x96), lower_x96)


def get_amount1_down(lower_x96: int, upper_x96: int, liquidity: int) -> int:
    """Return token 1 between two prices, rounded down. Mirror of ``getAmount1Delta(.., false)``."""
    return liquidity * (upper_x96 - lower_x96) >> 96


def get_amount1_up(lower_x96: int, upper_x96: int, liquidity: int) -> int:
    """Return token 1 between two prices, rounded up. Mirror of ``getAmount1Delta(.., true)``."""
    return -(-liquidity * (upper_x96 - lower_x96) >> 96)


def get_price_after_input(sqrt_price_x96: int, liquidity: int, amount_in: int, down: bool) -> int:
    """Return the price after an input of token 0 (``down``) or token 1, moved no further than paid for.

    Mirror of ``getNextSqrtPriceFromInput``; raises PoolRevertError where it reverts.
    """
    _require_liquidity(sqrt_price_x96, liquidity)
    if not down:
        return _require_uint160(sqrt_price_x96 + amount_in * Q96 // liquidity)
    numerator = liquidity << 96
    product = amount_in * sqrt_price_x96
    if product <= MAX_UINT256 and (denominator := numerator + product) <= MAX_UINT256:
        return mul_div_up(numerator, sqrt_price_x96, denominator)
    # where its product overflows, the contract takes a less precise formula
    return div_up(numerator, numerator // sqrt_price_x96 + amount_in)


def get_price_after_output(sqrt_price_x96: int, liquidity: int, amount_out: int, down: bool) -> int:
    """Return the price after an output of token 1 (``down``) or token 0, moved far enough to pay for it.

    Mirror of ``getNextSqrtPriceFromOutput``; raises PoolRevertError where it reverts.
    """
    _require_liquidity(sqrt_price_x96, liquidity)
    if down:
        fall = div_up(amount_out * Q96, liquidity)
        if fall < sqrt_price_x96:
            return sqrt_price_x96 - fall
    else:
        numerator = liquidity << 96
        product = amount_out * sqrt_price_x96
        if product < numerator:
            return _require_uint160(mul_div_up(numerator, sqrt_price_x96, numerator - product))
    raise PoolRevertError("", found=f"an output of {amount_out} is more than the liquidity holds")


def _require_liquidity(sqrt_price_x96: int, liquidity: int) -> None:
    if not sqrt_price_x96 or not liquidity:
        raise PoolRevertError("", found=f"sqrt price {sqrt_price_x96}, liquidity {liquidity}", needed="both")


def _require_uint160(sqrt_price_x96: int) -> int:
    if sqrt_price_x96 > MAX_UINT160:
        raise PoolRevertError("", found=f"sqrt price {sqrt_price_x96}", needed="at most 2**160-1")
    return sqrt_price_x96
