"""Swaps of stable pools in upscaled amounts (18 decimals); mirror of Balancer's ``StableMath``.

``amp`` is A * n**(n-1) * 1000, as ``getAmplificationParameter`` gives it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from onchain_exec.core.fixed_point import MAX_UINT256, div_up
from onchain_exec.venues.balancer.revert import (
    BALANCE_DID_NOT_CONVERGE,
    INVARIANT_DID_NOT_CONVERGE,
    MUL_OVERFLOW,
    SUB_OVERFLOW,
    ZERO_DIVISION,
    refuse,
)

AMP_PRECISION: Final = 1_000
_MAX_ROUNDS: Final = 255


def compute_invariant_down(amp: int, balances: tuple[int, ...]) -> int:
    """Return the invariant D, every division rounded down: pools since June 2022.

    Mirror of ``StableMath._calculateInvariant``.

    Raises:
        PoolRevertError: BAL#003, a product leaves uint256; BAL#004, a balance is zero; BAL#321.
    """
    count, total = len(balances), sum(balances)
    if not total:
        return 0
    if not all(balances):
        refuse(ZERO_DIVISION)
    amp_total = amp * count
    invariant = total
    for _ in range(_MAX_ROUNDS):
        product = invariant
        for balance in balances:
            product = _fits(product * invariant) // (balance * count)
        previous = invariant
        invariant = _fits((amp_total * total // AMP_PRECISION + product * count) * invariant) // (
            _fits((amp_total - AMP_PRECISION) * invariant) // AMP_PRECISION + (count + 1) * product
        )
        if -1 <= invariant - previous <= 1:
            break
    else:
        refuse(INVARIANT_DID_NOT_CONVERGE)
    return invariant


def compute_invariant_up(amp: int, balances: tuple[int, ...]) -> int:
    """Return the invariant D rounded up: pools of 2021 and early 2022.

    Mirror of ``StableMath._calculateInvariant(amp, balances, true)`` before June 2022; raises as
    `compute_invariant_down` does, but takes a zero balance and has BAL#322 for BAL#321.
    """
    count, total = len(balances), sum(balances)
    if not total:
        return 0
    amp_total = amp * count
    invariant = total
    for _ in range(_MAX_ROUNDS):
        product = balances[0] * count
        for balance in balances[1:]:
            product = div_up(_fits(product * balance * count), invariant)
        previous = invariant
        invariant = div_up(
            _fits(count * invariant * invariant) + div_up(_fits(amp_total * total * product), AMP_PRECISION),
            (count + 1) * invariant + (amp_total - AMP_PRECISION) * product // AMP_PRECISION,
        )
        if -1 <= invariant - previous <= 1:
            break
    else:
        refuse(BALANCE_DID_NOT_CONVERGE)
    return invariant


def compute_balance(amp: int, balances: list[int], invariant: int, index: int) -> int:
    """Return the balance of token ``index`` that the others and the invariant ask for, rounded up.

    Mirror of ``StableMath._getTokenBalanceGivenInvariantAndAllOtherBalances``.

    Raises:
        PoolRevertError: BAL#003, BAL#004, BAL#322, as `compute_invariant_down`.
    """
    count = len(balances)
    amp_total = amp * count
    product = balances[0] * count
    for balance in balances[1:]:
        product = _fits(product * balance * count) // invariant
    if not product:
        refuse(ZERO_DIVISION)
    squared = _fits(invariant * invariant)
    c = _fits(div_up(squared, _fits(amp_total * product)) * AMP_PRECISION * balances[index])
    b = sum(balances) - balances[index] + invariant // amp_total * AMP_PRECISION
    result = div_up(squared + c, invariant + b)
    b -= invariant
    for _ in range(_MAX_ROUNDS):
        previous = result
        square = result * result
        if square > MAX_UINT256:
            refuse(MUL_OVERFLOW)
        result = -(-(square + c) // (2 * result + b))
        if -1 <= result - previous <= 1:
            break
    else:
        refuse(BALANCE_DID_NOT_CONVERGE)
    return result


def make_out_given_in(
    amp: int, balances: tuple[int, ...], invariant: int, side_in: int, side_out: int
) -> Callable[[int], int]:
    """Return amount_in -> amount_out, rounded down; mirror of ``StableMath._calcOutGivenIn``."""
    if not invariant:
        refuse(ZERO_DIVISION)

    def out_given_in(amount_in: int) -> int:
        after = list(balances)
        after[side_in] += amount_in
        amount_out = balances[side_out] - compute_balance(amp, after, invariant, side_out) - 1
        if amount_out < 0:
            refuse(SUB_OVERFLOW)
        return amount_out

    return out_given_in


def make_in_given_out(
    amp: int, balances: tuple[int, ...], invariant: int, side_in: int, side_out: int
) -> Callable[[int], int]:
    """Return amount_out -> amount_in, rounded up; mirror of ``StableMath._calcInGivenOut``."""
    if not invariant:
        refuse(ZERO_DIVISION)

    def in_given_out(amount_out: int) -> int:
        after = list(balances)
        after[side_out] -= amount_out
        if after[side_out] < 0:
            refuse(SUB_OVERFLOW)
        amount_in = compute_balance(amp, after, invariant, side_in) - balances[side_in] + 1
        if amount_in <= 0:
            refuse(SUB_OVERFLOW)
        return amount_in

    return in_given_out


def _fits(product: int) -> int:
    if product > MAX_UINT256:
        refuse(MUL_OVERFLOW)
    return product
