"""The closed root of the CryptoSwap cubic: ``get_y`` of tricrypto-ng and twocrypto-ng.

Signed integers, every division truncated as the EVM does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final

from onchain_exec.core.fixed_point import WAD, div_trunc
from onchain_exec.venues.curve.revert import refuse

_CBRT_EXACT: Final = 115792089237316195423570985008687907853269  # below, x * 1e36 fits uint256


def cbrt(x: int) -> int:
    """Return the cube root of x with 18 decimals, by seven Newton steps; mirror of ``_cbrt``."""
    if x >= _CBRT_EXACT * WAD:
        scaled, unscale = x, 10**12
    elif x >= _CBRT_EXACT:
        scaled, unscale = x * WAD, 10**6
    else:
        scaled, unscale = x * 10**36, 1
    if not scaled:
        refuse("the cube root of zero")
    thirds, rest = divmod(scaled.bit_length() - 1, 3)
    root = (1 << thirds) * int(1260**rest) // int(1000**rest)
    for _ in range(7):
        root = (2 * root + scaled // (root * root)) // 3
    return root * unscale


def find_root_three(ann: int, gamma: int, others: Sequence[int], d: int) -> tuple[int, int] | None:
    """Return the third balance and K0, or None where the cubic has no such root and Newton has to do.

    Mirror of ``CurveTricryptoMathOptimized.get_y`` without its checks of the balances.
    """
    x_j, x_k = others
    a = 10**36 // 27
    b = 10**36 // 9 + 2 * WAD * gamma // 27 - d * d // x_j * gamma**2 * ann // 729 // 10_000 // x_k
    c = (
        10**36 // 9
        + gamma * (gamma + 4 * WAD) // 27
        + div_trunc(div_trunc(div_trunc(gamma**2 * (x_j + x_k - d), d) * ann, 27), 10_000)
    )
    e = (WAD + gamma) ** 2 // 27
    _require_divisor(b)
    divider = _divider_three(abs(div_trunc(3 * a * c, b) - b))
    if a > abs(b):
        more = abs(div_trunc(a, b))
        a, b, c, e = (div_trunc(value * more, divider) for value in (a, b, c, e))
    else:
        less = abs(div_trunc(b, a))
        a, b, c, e = (div_trunc(div_trunc(value, less), divider) for value in (a, b, c, e))
    _require_divisor(b)
    delta0 = div_trunc(3 * a * c, b) - b
    delta1 = div_trunc(9 * a * c, b) - 2 * b - div_trunc(div_trunc(27 * a**2, b) * e, b)
    root_of = delta1**2 + div_trunc(4 * delta0**2, b) * delta0
    if root_of <= 0:
        return None
    c1 = _cubic_term(b, delta1, isqrt(root_of))
    _require_divisor(c1)
    k0 = div_trunc(b + div_trunc(b * delta0, c1) - c1, 3)
    _require_divisor(a)
    y = div_trunc(d * d // 27 // x_k * d // x_j * k0, a)
    return _require_positive(y), _require_positive(div_trunc(WAD * k0, a))


def find_root_two(ann: int, gamma: int, other: int, d: int) -> tuple[int, int] | None:
    """Return the second balance and K0, or None where the cubic has no such root and Newton has to do.

    Mirror of ``CurveTwocryptoMathOptimized.get_y`` without its checks of the balances.
    """
    ann_gamma2 = ann * gamma**2
    a = 10**32
    b = d * ann_gamma2 // 400_000_000 // other - 3 * 10**32 - 2 * gamma * 10**14
    quarter = 4 * ann_gamma2 // 400_000_000
    c = 3 * 10**32 + 4 * gamma * 10**14 + gamma**2 // 10**4 + quarter * other // d - quarter
    e = -((WAD + gamma) ** 2 // 10**4)
    _require_divisor(b)
    delta0 = div_trunc(3 * a * c, b) - b
    delta1 = 3 * delta0 + b - div_trunc(div_trunc(27 * a**2, b) * e, b)
    divider = _divider_two(min(abs(delta0), abs(delta1), a))
    a, b, c, e = (div_trunc(value, divider) for value in (a, b, c, e))
    _require_divisor(b)
    delta0 = div_trunc(3 * a * c, b) - b
    delta1 = 3 * delta0 + b - div_trunc(div_trunc(27 * a**2, b) * e, b)
    root_of = delta1**2 + div_trunc(4 * delta0**2, b) * delta0
    if root_of <= 0:
        return None
    c1 = _cubic_term(b, delta1, isqrt(root_of))
    _require_divisor(c1)
    root = div_trunc(WAD * c1 - WAD * b - div_trunc(WAD * b, c1) * delta0, 3 * a)
    y = div_trunc(div_trunc(d * d // other * root, 4), WAD)
    return _require_positive(y), _require_positive(root)


def _cubic_term(b: int, delta1: int, root: int) -> int:
    """Return b**(2/3) times the cube root of (delta1 +- root) / 2, whichever is larger."""
    b_cbrt = cbrt(abs(b))
    second = cbrt((delta1 + root) // 2) if delta1 > 0 else -cbrt((root - delta1) // 2)
    return div_trunc(b_cbrt * b_cbrt // WAD * second, WAD)


def _divider_three(size: int) -> int:
    """Return what keeps the three-token cubic's terms within 256 bits."""
    for bound, divider in ((48, 30), (44, 26), (40, 22), (36, 18), (32, 14), (28, 10), (24, 6), (20, 2)):
        if size > 10**bound:
            return int(10**divider)
    return 1


def _divider_two(size: int) -> int:
    """Return what keeps the two-token cubic's terms within 256 bits."""
    for bound in range(48, 24, -2):
        if size > 10**bound:
            return int(10 ** (bound - 18))
    if size > 10**24:
        return 10**6
    return 100 if size > 10**20 else 1


def _require_divisor(value: int) -> None:
    if not value:
        refuse("a divisor of the cubic is zero")


def _require_positive(value: int) -> int:
    if value < 0:
        refuse("the cubic has no positive root")
    return value
