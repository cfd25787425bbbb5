"""The curve of twocrypto pools that take donations: StableSwap's, of two balances valued in token 0.

Mirror of ``StableswapMath``; ``ann`` is ``A()``, which counts in 1e-4.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from typing import Final

from onchain_exec.core.fixed_point import WAD
from onchain_exec.venues.curve.revert import refuse

_A_MULTIPLIER: Final = 10_000
_ROUNDS: Final = 255


def compute_y(ann: int, other: int, d: int) -> int:
    """Return the balance that the other one and D ask for; mirror of ``get_y``.

    Raises:
        PoolRevertError: the other one is 0, or 255 rounds do not converge.
    """
    if not other:
        refuse("a balance is zero")
    amp = 2 * ann
    c = d * d // (other * 2) * d * _A_MULTIPLIER // (amp * 2)
    b = other + d * _A_MULTIPLIER // amp
    y = d
    for _ in range(_ROUNDS):
        previous = y
        y = (y * y + c) // (2 * y + b - d)
        if abs(y - previous) <= 1:
            break
    else:
        refuse("the balance does not converge", "Did not converge")
    return y


def compute_d(ann: int, scaled: Sequence[int]) -> int:
    """Return the invariant D; mirror of ``newton_D``.

    Raises:
        PoolRevertError: one balance is 0, or 255 rounds do not converge.
    """
    amp, total = 2 * ann, sum(scaled)
    if total and not all(scaled):
        refuse("a balance is zero")
    d = total
    for _ in range(_ROUNDS if total else 1):
        previous = d
        product = d * d // scaled[0] * d // scaled[1] // 4 if total else 0
        d = (
            (amp * total // _A_MULTIPLIER + product * 2)
            * d
            // max((amp - _A_MULTIPLIER) * d // _A_MULTIPLIER + 3 * product, 1)
        )
        if abs(d - previous) <= 1:
            break
    else:
        refuse("the invariant does not converge", "Did not converge")
    return d


def compute_price(ann: int, scaled: Sequence[int], d: int) -> int:
    """Return token 0 per token 1 at the margin, in 1e-18 of valued balances; mirror of ``get_p``."""
    first, second = scaled
    reserve = d // 4 * d // first * d // second
    amp_first = 2 * ann * first // _A_MULTIPLIER
    return WAD * (amp_first + reserve * first // second) // (amp_first + reserve)


def compute_value(d: int, price_scale_wad: int) -> int:
    """Return what the pool is worth as a product of two balances; mirror of ``_xcp``."""
    return d * WAD // 2 // isqrt(WAD * price_scale_wad)


def compute_fee(scaled: Sequence[int], mid_fee_e10: int, out_fee_e10: int, fee_gamma: int) -> int:
    """Return the fee on the output in 1e-10; mirror of ``_fee``."""
    total = sum(scaled)
    balance = WAD * 4 * scaled[0] // total * scaled[1] // total
    share = fee_gamma * balance // (fee_gamma * balance // WAD + WAD - balance)
    return (mid_fee_e10 * share + out_fee_e10 * (WAD - share)) // WAD


def get_gradient(ann: int, scaled: Sequence[int], d: int) -> list[Fraction]:
    """Return the invariant's derivatives by each balance, of which the ratio is a price."""
    if not all(scaled) or not d:
        refuse("a balance is zero")
    reserve = Fraction(d**3, 4 * scaled[0] * scaled[1])
    return [Fraction(2 * ann, _A_MULTIPLIER) + reserve / balance for balance in scaled]
