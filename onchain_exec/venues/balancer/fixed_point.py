"""Powers of 18-decimal numbers that err on a known side; mirror of Balancer's ``FixedPoint``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from onchain_exec.core.fixed_point import WAD, div_up
from onchain_exec.venues.balancer.log_exp_math import pow_wad

_MAX_RELATIVE_ERROR: Final = 10_000  # 1e-14, of `pow_wad`


def make_pow_up(exponent: int, pow_version: int) -> Callable[[int], int]:
    """Return x -> x**exponent, never below the true value; mirror of ``FixedPoint.powUp``.

    Version 1 (2021) always takes the logarithm; version 2 (since 2022) multiplies for the exponents
    1, 2 and 4.
    """
    if pow_version == 2:
        if exponent == WAD:
            return lambda x: x
        if exponent == 2 * WAD:
            return lambda x: div_up(x * x, WAD)
        if exponent == 4 * WAD:
            return lambda x: div_up(div_up(x * x, WAD) ** 2, WAD)

    def pow_up(x: int) -> int:
        raw = pow_wad(x, exponent)
        return raw - (-raw * _MAX_RELATIVE_ERROR // WAD) + 1

    return pow_up
