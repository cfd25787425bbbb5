"""Swaps of weighted pools in upscaled amounts (18 decimals); mirror of Balancer's ``WeightedMath``."""

from __future__ import annotations

from collections.abc import Callable

from onchain_exec.core.fixed_point import WAD, div_up
from onchain_exec.venues.balancer.fixed_point import make_pow_up
from onchain_exec.venues.balancer.revert import MAX_IN_RATIO, MAX_OUT_RATIO, ZERO_DIVISION, refuse

_MAX_RATIO_WAD = 3 * WAD // 10  # of a balance, in or out


def make_out_given_in(
    balance_in: int, weight_in: int, balance_out: int, weight_out: int, pow_version: int
) -> Callable[[int], int]:
    """Return amount_in -> amount_out = balance_out * (1 - (balance_in / (balance_in + amount_in))**r).

    r is weight_in / weight_out. Rounds down, mirror of ``WeightedMath._calcOutGivenIn``; raises
    PoolRevertError BAL#304 beyond 30 % of the balance.
    """
    pow_up = make_pow_up(weight_in * WAD // weight_out, pow_version)
    largest_in = balance_in * _MAX_RATIO_WAD // WAD
    numerator = balance_in * WAD

    def out_given_in(amount_in: int) -> int:
        if amount_in > largest_in:
            refuse(MAX_IN_RATIO)
        if not numerator:
            refuse(ZERO_DIVISION)
        power = pow_up(-(-numerator // (balance_in + amount_in)))
        return balance_out * (WAD - power) // WAD if power < WAD else 0

    return out_given_in


def make_in_given_out(
    balance_in: int, weight_in: int, balance_out: int, weight_out: int, pow_version: int
) -> Callable[[int], int]:
    """Return amount_out -> amount_in = balance_in * ((balance_out / (balance_out - amount_out))**r - 1).

    r is weight_out / weight_in. Rounds up, mirror of ``WeightedMath._calcInGivenOut``; raises
    PoolRevertError BAL#305 beyond 30 % of the balance.
    """
    pow_up = make_pow_up(div_up(weight_out * WAD, weight_in), pow_version)
    largest_out = balance_out * _MAX_RATIO_WAD // WAD
    numerator = balance_out * WAD

    def in_given_out(amount_out: int) -> int:
        if amount_out > largest_out:
            refuse(MAX_OUT_RATIO)
        if not numerator:
            refuse(ZERO_DIVISION)
        power = pow_up(-(-numerator // (balance_out - amount_out)))
        return -(-balance_in * (power - WAD) // WAD)

    return in_given_out
