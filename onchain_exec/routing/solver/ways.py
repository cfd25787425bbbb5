"""The least that edges of a way through a graph lose together, for every edge that it may lead over."""

from __future__ import annotations

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray


def find_least_losses(
    source: IndexArray, target: IndexArray, loss: FloatArray, ends: tuple[int, int], size: int
) -> FloatArray:
    """Return for each edge the least sum of losses on a way over it between ``ends``, infinite where there
    is none. ``loss`` is what each edge loses, 0 or more; ``size`` is how many tokens there are."""
    before = _spread(source, target, loss, ends[0], size)
    after = _spread(target, source, loss, ends[1], size)
    return np.asarray(before[source] + loss + after[target])


def _spread(tail: IndexArray, head: IndexArray, loss: FloatArray, start: int, size: int) -> FloatArray:
    """Return the least loss between ``start`` and each token (Bellman 1958, Ford 1956)."""
    least = np.full(size, np.inf)
    least[start] = 0.0
    while True:
        less = least.copy()
        np.minimum.at(less, head, least[tail] + loss)
        if np.array_equal(less, least):
            return least
        least = less
