"""Black's formula without units: b(x, s) = e^(x/2) N(h + t) - e^(-x/2) N(h - t), exact far from the money.

x = ln(forward / strike), taken at or below 0 (the out-of-the-money side), s = vol sqrt(years),
h = x / s, t = s / 2. With Y(z) = N(z) / n(z) it is n(h) e^(-t^2/2) (Y(h + t) - Y(h - t)), which neither
underflows early nor, by its series in t, cancels (P. Jaeckel, Let's Be Rational, 2015, section 6).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import erfcx

from onchain_exec.pricing.rows import Floats

LN_ROOT_2_PI: Final = 0.5 * math.log(2 * math.pi)
ROOT_2_PI: Final = math.sqrt(2 * math.pi)
ROOT_HALF: Final = math.sqrt(0.5)
ROOT_HALF_PI: Final = math.sqrt(0.5 * math.pi)
SERIES_BELOW: Final = 0.1
"""Below this t the series of 11 terms is exact to the last bit; above it the difference is."""

_TERMS: Final = 11


def get_mills_ratio(z: Floats) -> Floats:
    """Return N(z) / n(z)."""
    ratio: Floats = ROOT_HALF_PI * erfcx(-ROOT_HALF * z)
    return ratio


def get_spread(h: Floats, t: Floats, sign: Floats, series_below: float) -> Floats:
    """Return Y(h + t) - Y(h - t) where ``sign`` is 1, the sum Y(-h - t) + Y(h - t) where it is -1; for h at
    or below 0 and t above it; one-dimensional.

    The difference loses 1e-16 / t of itself: it gives way to a series where t is below ``series_below``,
    which costs more time. At `SERIES_BELOW` no digit is lost.
    """
    spread = get_mills_ratio(sign * (h + t)) - sign * get_mills_ratio(h - t)
    small = (t < series_below) & (sign > 0)
    if small.any():
        spread[small] = sum_series(h[small], t[small])
    return spread


def get_log_price(h: Floats, t: Floats, spread: Floats) -> Floats:
    """Return ln b, or the ln of what b lacks of its greatest value from that one's sum of ratios."""
    price: Floats = np.log(spread) - 0.5 * (h * h + t * t) - LN_ROOT_2_PI
    return price


def sum_series(h: Floats, t: Floats) -> Floats:
    """Return 2 (t Y' + t^3 Y''' / 3! + ...), where Y' = 1 + h Y and Y^(k+1) = k Y^(k-1) + h Y^(k)."""
    even = get_mills_ratio(h)
    odd = 1 + h * even
    weight = 2 * t
    total = weight * odd
    squared = t * t
    for order in range(1, _TERMS - 1, 2):
        even = order * even + h * odd
        odd = (order + 1) * odd + h * even
        weight = weight * squared / ((order + 1) * (order + 2))
        total = total + weight * odd
    return total
