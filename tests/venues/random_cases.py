"""Random numbers of every scale, for differential tests."""

from __future__ import annotations

from random import Random


def pick_scale(rng: Random, low: int, high: int) -> int:
    """Return an integer in low..high, uniform in its logarithm, so that every scale is met."""
    return min(high, max(low, int(low * (high / low) ** rng.random())))
