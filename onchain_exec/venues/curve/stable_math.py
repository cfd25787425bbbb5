"""The StableSwap invariant as Curve's contracts iterate it, on balances in 18 decimals.

``amp`` is A * n**(n-1) times the flavour's precision of A.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Final

from onchain_exec.core.fixed_point import MAX_UINT256
from onchain_exec.venues.curve.revert import refuse

_MAX_ROUNDS: Final = 255
FEE_DENOMINATOR: Final = 10**10


class StableFlavour(enum.Enum):
    """Whose arithmetic a pool runs; they differ in single units."""

    THREEPOOL = (
        "threepool"  # pools of 2020: whole A; `get_dy` takes the fee after unscaling, `exchange` before
    )
    TEMPLATE = "template"  # plain and meta pools of the 2021 templates: A in hundredths
    NG = "ng"  # stableswap-ng, plain and meta: another order of divisions in D, dynamic fees

    @property
    def amp_precision(self) -> int:
        """What ``amp`` is multiplied with."""
        return 1 if self is StableFlavour.THREEPOOL else 100


def compute_d(scaled: Sequence[int], amp: int, flavour: StableFlavour) -> int:
    """Return the invariant D; mirror of ``get_D``.

    Raises:
        PoolRevertError: a balance is zero, they are so far apart that uint256 overflows, or 255 rounds do
            not converge.
    """
    total, count = sum(scaled), len(scaled)
    if not total:
        return 0
    if not all(scaled):
        refuse("a balance is zero")
    precision, amp_total = flavour.amp_precision, amp * count
    power = count**count if flavour is StableFlavour.NG else 1
    d = total
    share = 1 if power > 1 else count
    for _ in range(_MAX_ROUNDS):
        product, largest = d, MAX_UINT256 // d if d else 0
        for balance in scaled:
            if product > largest:
                refuse("the balances are too far apart")
            product = product * d // (balance * share)
        product //= power
        previous, rising = d, amp_total * total // precision + product * count
        if rising > largest:
            refuse("the balances are too far apart")
        d = rising * d // ((amp_total - precision) * d // precision + (count + 1) * product)
        if -1 <= d - previous <= 1:
            return d
    if flavour is not StableFlavour.THREEPOOL:
        refuse("the invariant does not converge")
    return d


def compute_y(scaled: Sequence[int], side: int, d: int, amp: int, flavour: StableFlavour) -> int:
    """Return the balance of ``side`` that the others and D ask for; mirror of ``get_y``.

    What stands at ``side`` in ``scaled`` does not matter.

    Raises:
        PoolRevertError: uint256 overflows, or 255 rounds do not converge.
    """
    count, precision = len(scaled), flavour.amp_precision
    amp_total = amp * count
    c, rest, largest = d, 0, MAX_UINT256 // d
    for index, balance in enumerate(scaled):
        if index != side:
            if c > largest:
                refuse("the balances are too far apart")
            rest += balance
            c = c * d // (balance * count)
    if c > largest // precision:
        refuse("the balances are too far apart")
    c = c * d * precision // (amp_total * count)
    b = rest + d * precision // amp_total - d
    y = d
    for _ in range(_MAX_ROUNDS):
        previous = y
        y = (y * y + c) // (2 * y + b)
        if -1 <= y - previous <= 1:
            return y
    if flavour is not StableFlavour.THREEPOOL:
        refuse("the balance does not converge")
    return y


def compute_fee(balance_in: int, balance_out: int, fee_e10: int, offpeg_multiplier_e10: int) -> int:
    """Return the fee on the output in 1e-10; mirror of ``_dynamic_fee``.

    It rises from ``fee_e10`` where the two scaled balances are equal to its multiple by
    ``offpeg_multiplier_e10`` (1e10 is one) where one is nil.
    """
    if offpeg_multiplier_e10 <= FEE_DENOMINATOR:
        return fee_e10
    above = (offpeg_multiplier_e10 - FEE_DENOMINATOR) * 4 * balance_in * balance_out
    return offpeg_multiplier_e10 * fee_e10 // (above // (balance_in + balance_out) ** 2 + FEE_DENOMINATOR)
