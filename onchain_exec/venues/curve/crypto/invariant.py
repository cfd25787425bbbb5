"""What Curve's CryptoSwap contracts compute of the invariant after a swap: D, prices, the pool's value.

Balances are valued in token 0 with 18 decimals; ``ann`` and ``gamma`` as in `arithmetic`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.curve.crypto import refuelled_curve
from onchain_exec.venues.curve.crypto.arithmetic import A_MULTIPLIER, MAX_D, MAX_ROUNDS, MIN_D, CryptoFlavour
from onchain_exec.venues.curve.crypto.cubic import cbrt
from onchain_exec.venues.curve.revert import refuse

_PRECISE: Final = 10**36
_LEAST_LARGE: Final = 10**9
_LEAST_RATIOS: Final = {
    CryptoFlavour.TRICRYPTO: 10**11,
    CryptoFlavour.TWOCRYPTO_NG_2_0: 10**14,
    CryptoFlavour.TWOCRYPTO_NG: 10**14,
}
"""Least of the smallest balance to the largest, in 1e-18."""
_SHARES: Final = {
    CryptoFlavour.TRICRYPTO: (10**16, 10**20),
    CryptoFlavour.TWOCRYPTO_NG: (10**16 // 2, 10**20 // 2),
}
"""Least and most of a balance in D, in 1e-18, after an exchange."""
_GUESSES: Final = ((10**36, 10**36, 10**12), (10**24, 10**24, 10**6), (0, 10**18, 1))
"""From which sum of balances on: what their product is divided by, and multiplied with after."""


def compute_d(flavour: CryptoFlavour, ann: int, gamma: int, scaled: Sequence[int], k0: int = 0) -> int:
    """Return the invariant D by Newton; mirror of ``newton_D``.

    ``k0`` is what `arithmetic.compute_y` tells beside the balance: a better start, and another last digit.

    Raises:
        PoolRevertError: the balances are too far apart, or 255 rounds do not converge.
    """
    if flavour is CryptoFlavour.TWOCRYPTO_REFUELLED:
        return refuelled_curve.compute_d(ann, scaled)
    balances = sorted(scaled, reverse=True)
    _require_balances(flavour, balances)
    count, total = len(balances), sum(balances)
    d = _guess_d(flavour, balances, k0)
    for _ in range(MAX_ROUNDS):
        previous = d
        k0 = _compute_k0(flavour, balances, d) if d else 0
        if not k0:
            refuse("the balances are too far apart")
        g1k0 = abs(gamma + WAD - k0) + 1
        mul1 = WAD * d // gamma * g1k0 // gamma * g1k0 * A_MULTIPLIER // ann
        mul2 = 2 * WAD * count * k0 // g1k0
        slope = total + total * mul2 // WAD + mul1 * count // k0 - mul2 * d // WAD
        if slope <= 0:
            refuse("the curve is flat")
        plus, minus = d * (slope + total) // slope, d * d // slope
        off = d * (mul1 // slope) // WAD * abs(WAD - k0) // k0
        minus += off if k0 < WAD else -off
        if minus < 0:
            refuse("the invariant leaves its range")
        d = plus - minus if plus > minus else (minus - plus) // 2
        if abs(d - previous) * 10**14 < max(10**16, d):
            break
    else:
        refuse("the invariant does not converge", "Did not converge")
    _require_shares(flavour, balances, d)
    return d


def compute_prices(ann: int, gamma: int, scaled: Sequence[int], d: int) -> list[int]:
    """Return token 0 per token k at the margin, in 1e-18, for tokens 1 and on; mirror of ``get_p``.

    In valued balances: times the price scale it is the price.

    Raises:
        PoolRevertError: D is out of bounds.
    """
    if not MIN_D <= d <= MAX_D:
        refuse(f"D is {d}")
    first, *others = scaled
    k0 = len(scaled) ** len(scaled) * first
    for balance in others:
        k0 = k0 * balance // d
    k0 = k0 * _PRECISE // d
    gk0 = 2 * k0 * k0 // _PRECISE * k0 // _PRECISE + (gamma + WAD) ** 2
    gk0 -= k0 * k0 // _PRECISE * (2 * gamma + 3 * WAD) // WAD
    nnag2 = ann * gamma**2 // A_MULTIPLIER
    weights = [gk0 + nnag2 * balance // d * k0 // _PRECISE for balance in scaled]
    pairs = zip(others, weights[1:], strict=True)
    return [first * weight // balance * WAD // weights[0] for balance, weight in pairs]


def compute_value(flavour: CryptoFlavour, d: int, price_scale_wad: Sequence[int]) -> int:
    """Return the geometric mean of the balances at which the pool is worth D; mirror of ``get_xcp``."""
    count = len(price_scale_wad) + 1
    balances = [d // count, *(d * WAD // (count * price) for price in price_scale_wad)]
    if flavour.has_two:
        return isqrt(balances[0] * balances[1])
    if flavour is CryptoFlavour.TRICRYPTO:
        return _converge_mean(sorted(balances, reverse=True))
    return _geometric_mean(balances)


def _geometric_mean(balances: Sequence[int]) -> int:
    first, second, third = balances
    product = first * second // WAD * third // WAD
    return cbrt(product) if product else 0


def _converge_mean(balances: Sequence[int]) -> int:
    """Return the geometric mean of balances, largest first, by iteration; mirror of ``_geometric_mean``."""
    mean, count = balances[0], len(balances)
    for _ in range(MAX_ROUNDS):
        previous, share = mean, WAD
        for balance in balances:
            if not mean:
                refuse("a balance is zero")
            share = share * balance // mean
        mean = mean * ((count - 1) * WAD + share) // (count * WAD)
        difference = abs(mean - previous)
        if difference <= 1 or difference * WAD < mean:
            break
    else:
        refuse("the mean does not converge", "Did not converge")
    return mean


def _guess_d(flavour: CryptoFlavour, balances: Sequence[int], k0: int) -> int:
    total = sum(balances)
    if flavour.has_two:
        large, small = balances
        return min(total, isqrt(4 * large * small // k0 * WAD)) if k0 else 2 * isqrt(large * small)
    if flavour is CryptoFlavour.TRICRYPTO:
        return 3 * _converge_mean(balances)
    if not k0:
        return 3 * _geometric_mean(balances)
    down, up = next((down, up) for least, down, up in _GUESSES if total > least)
    first, second, third = balances
    return cbrt(first * second // down * third // k0 * 27 * up)


def _compute_k0(flavour: CryptoFlavour, balances: Sequence[int], d: int) -> int:
    """Return n**n * product(x) / D**n in 1e-18, rounded as the contract orders its divisions."""
    if flavour.has_two:
        return 4 * WAD * balances[0] // d * balances[1] // d
    k0 = WAD
    for balance in balances:
        k0 = k0 * balance * 3 // d
    return k0


def _require_balances(flavour: CryptoFlavour, balances: Sequence[int]) -> None:
    """Require what the contract asks of balances, largest first, before it iterates."""
    large, small = balances[0], balances[-1]
    least = _LEAST_RATIOS.get(flavour)
    if least is not None and (not _LEAST_LARGE <= large <= MAX_D or small * WAD // large < least):
        refuse(f"balances of {large} and {small}")
    if not large:
        refuse("the pool is empty")


def _require_shares(flavour: CryptoFlavour, balances: Sequence[int], d: int) -> None:
    """Require that the next swap could be solved."""
    least, most = _SHARES.get(flavour, (10**16 - 1, 10**20))
    reason = "Unsafe values x[i]" if flavour is CryptoFlavour.TRICRYPTO_NG else ""
    for balance in balances:
        if not least <= balance * WAD // d <= most:
            refuse(f"a balance of {balance} with D {d}", reason)
