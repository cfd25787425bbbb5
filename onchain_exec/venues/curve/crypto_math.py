"""The CryptoSwap invariant as Curve's contracts solve it, on balances valued in token 0 (18 decimals).

``ann`` is A * n**n * 10,000; ``gamma`` has 18 decimals. Where a contract's check gives no reason, the
error has none.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Final

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.curve.cubic import find_root_three, find_root_two
from onchain_exec.venues.curve.revert import refuse

A_MULTIPLIER: Final = 10_000
_MAX_ROUNDS: Final = 255
_MIN_D: Final = 10**17
_MAX_D: Final = 10**15 * WAD
_LEAST_SHARE: Final = 10**16  # of a balance in D: one hundredth
_MOST_SHARE: Final = 10**20
_MAX_GAMMA_SMALL: Final = 2 * 10**16  # above, two-token pools allow less imbalance


class CryptoFlavour(enum.Enum):
    """Whose arithmetic a pool runs."""

    TRICRYPTO = "tricrypto"  # three tokens, 2021: Newton's iteration
    TRICRYPTO_NG = "tricrypto_ng"  # three tokens: the root of a cubic
    TWOCRYPTO_NG = "twocrypto_ng"  # two tokens: the root of a cubic


def compute_y(flavour: CryptoFlavour, ann: int, gamma: int, scaled: Sequence[int], d: int, side: int) -> int:
    """Return the balance of ``side`` that the others and D ask for; mirror of ``newton_y``, ``get_y``.

    Raises:
        PoolRevertError: a balance is below a hundredth or above a hundred times of D, or the iteration
            does not converge.
    """
    if not _MIN_D <= d <= _MAX_D:
        refuse(f"D is {d}")
    others = [balance for index, balance in enumerate(scaled) if index != side]
    if flavour is CryptoFlavour.TWOCRYPTO_NG:
        return _compute_y_two(ann, gamma, others[0], d)
    named = flavour is CryptoFlavour.TRICRYPTO_NG
    for balance in others:
        if not _LEAST_SHARE <= balance * WAD // d <= _MOST_SHARE:
            refuse(f"a balance of {balance} with D {d}", "Unsafe values x[i]" if named else "")
    y = find_root_three(ann, gamma, others, d) if named else None
    if y is None:
        others.sort(reverse=True)
        y = d // 3
        for balance in reversed(others):
            y = y * d // (balance * 3)
        y = newton_y(ann, gamma, others, d, y)
    if not _LEAST_SHARE <= y * WAD // d <= _MOST_SHARE:
        refuse(f"a balance of {y} with D {d}", "Unsafe value for y" if named else "")
    return y


def _compute_y_two(ann: int, gamma: int, other: int, d: int) -> int:
    most = 100 * WAD
    if gamma > _MAX_GAMMA_SMALL:
        most = most * _MAX_GAMMA_SMALL // gamma
    if not other or not 10**36 // most <= 2 * WAD * other // d <= most:
        refuse(f"a balance of {other} with D {d}")
    y = find_root_two(ann, gamma, other, d)
    if y is None:
        return newton_y(ann, gamma, (other,), d, d * d // (other * 4))
    if not 10**36 // 2 // most <= y * WAD // d <= most // 2:
        refuse(f"a balance of {y} with D {d}")
    return y


def newton_y(ann: int, gamma: int, others: Sequence[int], d: int, start: int) -> int:
    """Return the balance that ``others`` (largest first) and D ask for, by Newton from ``start``.

    Mirror of ``newton_y`` and ``_newton_y``.

    Raises:
        PoolRevertError: 255 rounds do not converge.
    """
    count = len(others) + 1
    k0_others, rest = WAD, sum(others)
    for balance in others:
        k0_others = k0_others * balance * count // d
    limit = max(others[0] // 10**14, d // 10**14, 100)
    y = start
    for _ in range(_MAX_ROUNDS):
        previous = y
        k0 = k0_others * y * count // d
        if not k0:
            refuse("the balances are too far apart")
        total = rest + y
        g1k0 = abs(gamma + WAD - k0) + 1
        mul1 = WAD * d // gamma * g1k0 // gamma * g1k0 * A_MULTIPLIER // ann
        mul2 = WAD + 2 * WAD * k0 // g1k0
        y_slope = WAD * y + total * mul2 + mul1 - d * mul2
        if y_slope < 0:
            y = previous // 2
            continue
        slope = y_slope // y
        if not slope:
            refuse("the curve is flat")
        y_minus = mul1 // slope
        y_plus = (y_slope + WAD * d) // slope + y_minus * WAD // k0
        y_minus += WAD * total // slope
        y = previous // 2 if y_plus < y_minus else y_plus - y_minus
        if abs(y - previous) < max(limit, y // 10**14):
            break
    else:
        refuse("the balance does not converge", "Did not converge")
    return y


def compute_fee(
    flavour: CryptoFlavour, scaled: Sequence[int], mid_fee_e10: int, out_fee_e10: int, fee_gamma: int
) -> int:
    """Return the fee on the output in 1e-10, between ``mid_fee`` at balance and ``out_fee``.

    Mirror of ``_fee`` with ``reduction_coefficient``: fee_gamma / (fee_gamma + 1 - K), where K is
    n**n * product(x) / sum(x)**n.
    """
    total, count = sum(scaled), len(scaled)
    if flavour is CryptoFlavour.TWOCRYPTO_NG:
        k = 4 * WAD * scaled[0] // total * scaled[1] // total
    else:
        k = WAD
        for balance in scaled:
            k = k * count * balance // total
    if fee_gamma or flavour is CryptoFlavour.TWOCRYPTO_NG:
        k = fee_gamma * WAD // (fee_gamma + WAD - k)
    return (mid_fee_e10 * k + out_fee_e10 * (WAD - k)) // WAD


def get_gradient(ann: int, gamma: int, scaled: Sequence[int], d: int) -> list[Fraction]:
    """Return the invariant's derivatives by each balance; the price of i in j is the ratio of i's to j's.

    F = K D**(n-1) sum(x) + product(x) - K D**n - (D/n)**n, with K = A K0 gamma**2 / (gamma + 1 - K0)**2
    and K0 = product(x) n**n / D**n (the CryptoSwap whitepaper).
    """
    if not all(scaled) or not d:
        refuse("a balance is zero")
    count = len(scaled)
    k0 = Fraction(prod(scaled) * count**count, d**count)
    spread = Fraction(gamma, WAD) + 1 - k0
    factor = Fraction(ann * gamma**2, A_MULTIPLIER * count**count * WAD**2)
    k, k_slope = factor * k0 / spread**2, factor * (spread + 2 * k0) / spread**3
    shared = k_slope * k0 * d ** (count - 1) * (sum(scaled) - d) + prod(scaled)
    return [k * d ** (count - 1) + shared / balance for balance in scaled]
