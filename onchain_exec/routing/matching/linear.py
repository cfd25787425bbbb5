"""Linear programs, with whole numbers or without, by HiGHS.

SciPy brings HiGHS along, but a version that writes a line of its own to the process's standard output when it
mends a whole answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from onchain_exec.routing.oracles import FloatArray, IndexArray

if TYPE_CHECKING:
    from highspy import Highs

_EXACT: Final = {"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10}


@dataclass(frozen=True)
class LinearProgram:
    """The values between ``least`` and ``most`` that are worth the most, each by its ``worth``, where no row
    of ``rows`` (a ``scipy.sparse.csr_array``) times them is above its ``right``."""

    worth: FloatArray
    rows: Any
    right: FloatArray
    least: FloatArray
    most: FloatArray


@dataclass(frozen=True)
class LinearAnswer:
    """The values, what all of them are worth, and how much more that were for a unit more on each right."""

    values: FloatArray
    worth: float
    prices: FloatArray


def solve_linear(program: LinearProgram) -> LinearAnswer | None:
    """Return the best answer, or None where no values keep to all rows."""
    solver = _run(program, np.empty(0, np.intp), _EXACT)
    status, solution = solver.getModelStatus(), solver.getSolution()
    if solver.modelStatusToString(status) != "Optimal":
        return None
    worth = solver.getInfo().objective_function_value
    return LinearAnswer(np.array(solution.col_value), worth, np.array(solution.row_dual))


def solve_whole(program: LinearProgram, whole: IndexArray, most_s: float, gap: float) -> FloatArray | None:
    """Return the best values found within ``most_s`` seconds, those of ``whole`` whole numbers, or None where
    none were. No others are worth more by a share of ``gap``, if there was time enough to tell."""
    solver = _run(program, whole, {"time_limit": most_s, "mip_rel_gap": gap})
    solution = solver.getSolution()
    return np.array(solution.col_value) if solution.value_valid else None


def _run(program: LinearProgram, whole: IndexArray, options: Mapping[str, float]) -> Highs:
    from highspy import Highs, HighsVarType, MatrixFormat, ObjSense  # noqa: PLC0415 - only who matches needs it

    solver, rows = Highs(), program.rows
    solver.silent()
    for name, value in options.items():
        solver.setOptionValue(name, value)
    kinds = np.full(len(program.worth), int(HighsVarType.kContinuous), np.int32)
    kinds[whole] = int(HighsVarType.kInteger)
    solver.passModel(
        len(program.worth),
        len(program.right),
        rows.nnz,
        int(MatrixFormat.kRowwise),
        int(ObjSense.kMaximize),
        0.0,
        program.worth,
        program.least,
        program.most,
        np.full(len(program.right), -np.inf),
        program.right,
        rows.indptr,
        rows.indices,
        rows.data,
        kinds,
    )
    solver.run()
    return solver
