"""The stable curve of Solidly and its kin: x**3 * y + y**3 * x = k."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from onchain_exec.routing.oracles.curves import FloatArray
from onchain_exec.routing.oracles.implicit import Implicit, Place

_MOST_STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class Solidly(Implicit):
    """Balances in units of their sum; ``invariant`` is k in those units."""

    invariant: FloatArray

    def at(self, balance_in: FloatArray) -> Place:
        """Return the curve's point; the other balance by Newton's method from above."""
        x = balance_in
        # y <= k / x**3 and y <= (k / x)**(1/3): from above the convex equation converges monotonically
        y = np.minimum(self.invariant / x**3, np.cbrt(self.invariant / x))
        for _ in range(_MOST_STEPS):
            step = (x * y * (x * x + y * y) - self.invariant) / (x * (x * x + 3 * y * y))
            y = y - step
            if np.all(np.abs(step) <= 1e-16 * y):
                break
        rise, run = y * (3 * x * x + y * y), x * (x * x + 3 * y * y)
        price = rise / run
        slope = -price
        rise_bend = slope * (3 * x * x + 3 * y * y) + 6 * x * y
        run_bend = 3 * x * x + 3 * y * y + 6 * x * y * slope
        return Place(y, np.log(price), x * (rise_bend / rise - run_bend / run))
