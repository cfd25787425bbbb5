"""The StableSwap invariant of Curve and Balancer, between two of a pool's balances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray
from onchain_exec.routing.oracles.implicit import Implicit, Place

_MOST_STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class Stable(Implicit):
    """A n**n * sum(x) + D = A n**n * D + D**(n+1) / (n**n * prod(x)), in units of the sum of balances.

    ``others`` is the sum of the balances that stay, ``rest`` is D**(n+1) / (n**n * their product),
    ``amp_total`` is A n**n.
    """

    amp_total: FloatArray
    invariant: FloatArray
    others: FloatArray
    rest: FloatArray

    def at(self, balance_in: FloatArray) -> Place:
        """Return the curve's point: for a fixed D the other balance solves a quadratic equation."""
        linear = self.others + balance_in + self.invariant / self.amp_total - self.invariant
        constant = self.rest / (balance_in * self.amp_total)
        root = np.sqrt(linear**2 + 4 * constant)
        # the stable form of the positive root, whichever sign the linear term has
        balance_out = np.where(linear > 0, 2 * constant / (root + np.abs(linear)), (root - linear) / 2)
        level = self.rest / (balance_in * balance_out)
        upper, lower = self.amp_total + level / balance_in, self.amp_total + level / balance_out
        price = upper / lower
        # by the log of the input balance; the output balance falls by price * balance_in
        fall = price * balance_in / balance_out
        upper_bend = level / balance_in * (fall - 2) / upper
        lower_bend = level / balance_out * (2 * fall - 1) / lower
        return Place(balance_out, np.log(price), upper_bend - lower_bend)


def solve_invariant(balances: Sequence[float], amp_total: float) -> float:
    """Return D of balances that sum to one, by the contracts' iteration in floats."""
    count, invariant = len(balances), 1.0
    for _ in range(_MOST_STEPS):
        product = invariant
        for balance in balances:
            product *= invariant / (balance * count)
        previous = invariant
        invariant *= (amp_total + product * count) / ((amp_total - 1) * invariant + (count + 1) * product)
        if abs(invariant - previous) <= 1e-16 * invariant:
            break
    return invariant
