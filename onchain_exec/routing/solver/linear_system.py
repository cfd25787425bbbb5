"""Symmetric linear systems of the solver's steps: dense where they are small, else sparse."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray

_DENSE: Final = 400
_NOTHING: Final = 1e-200
"""The least that a variable's diagonal counts as: one divided by it, and times any amount, is a double."""


def solve_symmetric(
    first: IndexArray, second: IndexArray, between: FloatArray, diagonal: FloatArray, right: FloatArray
) -> FloatArray:
    """Return x of ``diagonal * x - (sums of between) x = right``: what stands ``between`` variables ``first``
    and ``second``, each pair once in either order, is subtracted. A variable whose diagonal is infinite is 0.
    What is not positive definite for rounding is solved as if nothing stood between.
    """
    # scaled to a unit diagonal: values of tokens differ by many orders of magnitude
    # (a token that nothing moves, beside amounts near the least double, has none)
    root = 1.0 / np.sqrt(np.maximum(diagonal, _NOTHING))
    solver = _solve_dense if len(right) <= _DENSE else _solve_sparse
    return np.asarray(root * solver(first, second, between * root[first] * root[second], right * root))


def _solve_dense(first: IndexArray, second: IndexArray, between: FloatArray, right: FloatArray) -> FloatArray:
    """Packed storage keeps LAPACK to one thread: on matrices this small the threads of the full one
    cost up to a hundred times what they save on a busy machine."""
    from scipy.linalg.lapack import dppsv  # noqa: PLC0415 - see _solve_sparse

    size = len(right)
    diagonal = _packed_diagonal(size)
    place = diagonal[np.maximum(first, second)] - np.abs(first - second)
    matrix = np.bincount(place, -between, size * (size + 1) // 2)
    matrix[diagonal] = 1.0
    step, failed = dppsv(size, matrix, right)[-2:]
    return right if failed else np.asarray(step)


@cache
def _packed_diagonal(size: int) -> IndexArray:
    every = np.arange(size)
    return every * (every + 3) // 2


def _solve_sparse(
    first: IndexArray, second: IndexArray, between: FloatArray, right: FloatArray
) -> FloatArray:
    # scipy takes a quarter of a second to import, and most commands never route
    from scipy.sparse import coo_matrix  # noqa: PLC0415
    from scipy.sparse.linalg import splu  # noqa: PLC0415

    size = len(right)
    every = np.arange(size)
    rows = np.concatenate((first, second, every))
    columns = np.concatenate((second, first, every))
    values = np.concatenate((-between, -between, np.ones(size)))
    matrix = coo_matrix((values, (rows, columns)), (size, size)).tocsc()
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    return np.asarray(factor.solve(right))
