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
from onchain_exec.venues.curve.crypto import refuelled_curve
from onchain_exec.venues.curve.crypto.cubic import find_root_three, find_root_two
from onchain_exec.venues.curve.revert import refuse

A_MULTIPLIER: Final = 10_000
MAX_ROUNDS: Final = 255
MIN_D: Final = 10**17
MAX_D: Final = 10**15 * WAD
_LEAST_SHARE: Final = 10**16  # of a balance in D: one hundredth
_MOST_SHARE: Final = 10**20
_MAX_GAMMA_SMALL: Final = 2 * 10**16  # above, two-token pools allow less imbalance


class CryptoFlavour(enum.Enum):
    """Whose arithmetic a pool runs."""

    TRICRYPTO = "tricrypto"  # three tokens, 2021: Newton's iteration
    TRICRYPTO_NG = "tricrypto_ng"  # three tokens: the root of a cubic
    TWOCRYPTO_NG_2_0 = "twocrypto_ng_2_0"  # two tokens, v2.0.0: the root of a cubic, other bounds
    TWOCRYPTO_NG = "twocrypto_ng"  # two tokens, v2.1.0: the root of a cubic
    TWOCRYPTO_REFUELLED = "twocrypto_refuelled"  # two tokens, with donations: StableSwap's curve

    @property
    def has_two(self) -> bool:
        """Whether its pools hold two tokens, and not three."""
        return self.name.startswith("TWOCRYPTO")

    @property
    def loss(self) -> str:
        """What it says where a swap would lower the pool's value."""
        return "" if self is CryptoFlavour.TWOCRYPTO_NG else "Loss"


def compute_y(
    flavour: CryptoFlavour, ann: int, gamma: int, scaled: Sequence[int], d: int, side: int
) -> tuple[int, int]:
    """Return the balance of ``side`` that the others and D ask for, and K0.

    Mirror of ``newton_y`` and ``get_y``. K0 is n**n * product(x) / D**n in 1e-18, and 0 where the cubic
    had no root.

    Raises:
        PoolRevertError: a balance is below a hundredth or above a hundred times of D, or the iteration
            does not converge.
    """
    if flavour is CryptoFlavour.TWOCRYPTO_REFUELLED:
        return refuelled_curve.compute_y(ann, scaled[1 - side], d), 0
    if not MIN_D <= d <= MAX_D:
        refuse(f"D is {d}")
    others = [balance for index, balance in enumerate(scaled) if index != side]
    if flavour.has_two:
        return _compute_y_two(_get_bounds_two(flavour, gamma), ann, gamma, others[0], d)
    named = flavour is CryptoFlavour.TRICRYPTO_NG
    for balance in others:
        _require_share(balance, d, _LEAST_SHARE, "Unsafe values x[i]" if named else "")
    root = find_root_three(ann, gamma, others, d) if named else None
    if root:
        _require_share(root[0], d, _LEAST_SHARE - 1, "Unsafe value for y")
        return root
    others.sort(reverse=True)
    y = d // 3
    for balance in reversed(others):
        y = y * d // (balance * 3)
    y = newton_y(ann, gamma, others, d, y)
    _require_share(y, d, _LEAST_SHARE, "Unsafe value for y" if named else "")
    return y, 0


def _require_share(balance: int, d: int, least: int, reason: str) -> None:
    if not least <= balance * WAD // d <= _MOST_SHARE:
        refuse(f"a balance of {balance} with D {d}", reason)


def _get_bounds_two(flavour: CryptoFlavour, gamma: int) -> tuple[range, range]:
    """Return what twice the given share of D may be, and the share that is computed, in 1e-18."""
    if flavour is CryptoFlavour.TWOCRYPTO_NG_2_0:
        return range(2 * _LEAST_SHARE, 2 * _MOST_SHARE + 1), range(_LEAST_SHARE - 1, _MOST_SHARE + 1)
    most = _MOST_SHARE * _MAX_GAMMA_SMALL // max(gamma, _MAX_GAMMA_SMALL)
    return range(10**36 // most, most + 1), range(10**36 // 2 // most, most // 2 + 1)


def _compute_y_two(bounds: tuple[range, range], ann: int, gamma: int, other: int, d: int) -> tuple[int, int]:
    if not other or 2 * WAD * other // d not in bounds[0]:
        refuse(f"a balance of {other} with D {d}")
    root = find_root_two(ann, gamma, other, d)
    if root is None:
        return newton_y(ann, gamma, (other,), d, d * d // (other * 4)), 0
    if root[0] * WAD // d not in bounds[1]:
        refuse(f"a balance of {root[0]} with D {d}")
    return root


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
    for _ in range(MAX_ROUNDS):
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
    if flavour is CryptoFlavour.TWOCRYPTO_REFUELLED:
        return refuelled_curve.compute_fee(scaled, mid_fee_e10, out_fee_e10, fee_gamma)
    total, count = sum(scaled), len(scaled)
    if flavour.has_two:
        k = 4 * WAD * scaled[0] // total * scaled[1] // total
    else:
        k = WAD
        for balance in scaled:
            k = k * count * balance // total
    if fee_gamma or flavour.has_two:
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
