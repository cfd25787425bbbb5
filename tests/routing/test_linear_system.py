"""Systems of a step: their solution solves them, however far apart the variables' sizes lie."""

from __future__ import annotations

import random

import numpy as np
import pytest

from onchain_exec.routing.solver.linear_system import solve_symmetric


@pytest.mark.parametrize("size", [2, 9, 450])
def test_solve_symmetric_of_weighted_edges_solves_the_system(rng: random.Random, size: int) -> None:
    first = np.array([rng.randrange(size) for _ in range(3 * size)])
    second = (first + 1) % size
    between = np.array([10 ** rng.uniform(-6, 6) for _ in first])
    diagonal = np.bincount(first, between, size) + np.bincount(second, between, size) + 1e-3
    wanted = np.array([rng.uniform(-1, 1) for _ in range(size)])
    matrix = np.diag(diagonal)
    np.subtract.at(matrix, (first, second), between)
    np.subtract.at(matrix, (second, first), between)
    found = solve_symmetric(first, second, between, diagonal, matrix @ wanted)
    np.testing.assert_allclose(matrix @ found, matrix @ wanted, rtol=1e-6, atol=1e-9 * diagonal.max())


def test_solve_symmetric_where_nothing_resists_stays_within_doubles() -> None:
    none = np.empty(0, np.intp)
    found = solve_symmetric(
        none, none, np.empty(0), np.array([0.0, 1.0, np.inf]), np.array([-1e100, 3.0, 5.0])
    )
    assert np.isfinite(found).all()
    assert found[0] < -1e100
    assert found[1:].tolist() == [3.0, 0.0]
