"""The marginal price of the StableSwap invariant, which Balancer's stable and Curve's pools share."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def get_stable_price(
    amp_total: Fraction, invariant: int, scaled: Sequence[int], side_in: int, side_out: int
) -> Fraction:
    """Return scaled token_out per scaled token_in at the margin, without fee.

    (A n**n + K / x_in) / (A n**n + K / x_out), with K = D**(n+1) / (n**n * product(x)) over the
    ``scaled`` balances x, none of them zero, and ``amp_total`` = A n**n.
    """
    count = len(scaled)
    curve = Fraction(invariant ** (count + 1), count**count)
    for balance in scaled:
        curve /= balance
    return (amp_total + curve / scaled[side_in]) / (amp_total + curve / scaled[side_out])
