"""The same swap by the published algorithm (L-BFGS-B on the dual) and by a conic solver.

Both get the whole market of constant-product pools as arrays, which is not timed, and return what the
swap gives in floats.
"""

from __future__ import annotations

import time

import clarabel
import numpy as np
from scipy.optimize import minimize
from scipy.sparse import coo_matrix, csc_matrix, vstack

from benchmarks.pool_graphs import Market

UNIT = 1e18


def _arrays(market: Market) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pairs of token numbers, reserves in whole tokens, and what the fee leaves."""
    addresses = sorted({token.address for pool in market.pools.pools for token in pool.tokens})
    number = {address: index for index, address in enumerate(addresses)}
    pools = market.pools.pools
    pairs = np.array([[number[token.address] for token in pool.tokens] for pool in pools])
    reserves = np.array([[pool.reserve0, pool.reserve1] for pool in pools], float) / UNIT
    ends = np.array([number[market.token_in.address], number[market.token_out.address]])
    return pairs, reserves, ends


def solve_lbfgsb(market: Market) -> tuple[float, float]:
    """Return (milliseconds of CPU, bound) of L-BFGS-B in prices scaled by a shortest-path guess, with the
    settings of CFMMRouter.jl: 5 corrections, factr 10, pgtol 1e-5."""
    pairs, reserves, (first, last) = _arrays(market)
    keep, amount = 0.997, market.amount / UNIT
    size = int(pairs.max()) + 1
    source, target = np.concatenate((pairs[:, 0], pairs[:, 1])), np.concatenate((pairs[:, 1], pairs[:, 0]))
    reserve_in = np.concatenate((reserves[:, 0], reserves[:, 1])) / keep
    reserve_out = np.concatenate((reserves[:, 1], reserves[:, 0]))
    forward = (target != first) & (source != last)
    source, target, reserve_in, reserve_out = (
        column[forward] for column in (source, target, reserve_in, reserve_out)
    )
    guess = np.full(size, 1e-12)
    guess[last] = 1.0
    for _ in range(6):
        better = guess.copy()
        np.maximum.at(better, source, guess[target] * reserve_out / reserve_in)
        guess = better
    free = np.flatnonzero(np.arange(size) != last)

    def dual(scaled: np.ndarray) -> tuple[float, np.ndarray]:
        prices = guess.copy()
        prices[free] *= scaled
        root = np.sqrt(reserve_in * reserve_out * prices[target] / prices[source])
        taken = np.maximum(root - reserve_in, 0)
        given = reserve_out * taken / (reserve_in + taken)
        left = np.bincount(target, given, size) - np.bincount(source, taken, size)
        left[first] += amount
        return float(prices @ left), (left * guess)[free]

    scale = guess[first] * amount
    start = time.process_time()
    found = minimize(
        lambda x: tuple(part / scale for part in dual(x)),
        np.ones(len(free)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(1e-9, None)] * len(free),
        options={"maxcor": 5, "ftol": 10 * np.finfo(float).eps, "gtol": 1e-5, "maxiter": 20_000},
    )
    return (time.process_time() - start) * 1e3, float(found.fun) * scale * UNIT


def solve_clarabel(market: Market) -> tuple[float, float]:
    """Return (milliseconds of CPU, amount out) of the conic program; building it is not timed.

    Per pool: tendered and received amounts t, r >= 0 with the norm of (2 sqrt(k), a - b) at most
    a + b, where a, b are the new reserves.
    """
    pairs, reserves, (first, last) = _arrays(market)
    keep, amount, count = 0.997, market.amount / UNIT, len(pairs)
    size = int(pairs.max()) + 1
    columns = 4 * count  # per pool: t0, t1, r0, r1, in units of the reserves
    index = np.arange(count)
    tokens = np.concatenate((pairs[:, 0], pairs[:, 1], pairs[:, 0], pairs[:, 1]))
    column = np.concatenate((4 * index, 4 * index + 1, 4 * index + 2, 4 * index + 3))
    signed = np.concatenate((reserves[:, 0], reserves[:, 1], -reserves[:, 0], -reserves[:, 1]))
    flow = coo_matrix((signed, (tokens, column)), (size, columns)).tocsr()
    objective = np.asarray(flow[last].todense()).ravel()
    rows = [token for token in range(size) if token != last]
    limit = np.zeros(size)
    limit[first] = amount
    scale = np.maximum(np.abs(flow[rows]).max(axis=1).toarray().ravel(), 1e-30)
    balance = csc_matrix(flow[rows].multiply(1 / scale[:, None]))
    positive = csc_matrix((-np.ones(columns), (np.arange(columns), np.arange(columns))))
    # s = (a + b, 2, a - b) with a = 1 + keep t0 - r0, b = 1 + keep t1 - r1, in units of the reserves
    cone_rows = np.concatenate([3 * index + offset for offset in (0, 0, 0, 0, 2, 2, 2, 2)])
    cone_columns = np.concatenate([4 * index + offset for offset in (0, 1, 2, 3) * 2])
    values = np.repeat([-keep, -keep, 1, 1, -keep, keep, 1, -1], count)
    cone = coo_matrix((values, (cone_rows, cone_columns)), (3 * count, columns)).tocsc()
    right = np.concatenate((limit[rows] / scale, np.zeros(columns), np.tile([2.0, 2.0, 0.0], count)))
    cones = [clarabel.NonnegativeConeT(len(rows) + columns), *([clarabel.SecondOrderConeT(3)] * count)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    expected = amount * reserves[0, 1] / reserves[0, 0]  # the first pool connects the two tokens
    constraints = vstack((balance, positive, cone)).tocsc()
    quadratic = csc_matrix((columns, columns))
    solver = clarabel.DefaultSolver(quadratic, objective / expected, constraints, right, cones, settings)
    start = time.process_time()
    found = solver.solve()
    return (time.process_time() - start) * 1e3, -found.obj_val * expected * UNIT
