"""Rows of numbers: inputs of one shape, checked; kernels run over them in blocks that fit the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from onchain_exec.errors import InputError

Floats = NDArray[np.float64]

_BLOCK_ROWS: Final = 4_096


def to_rows(**values: ArrayLike) -> list[Floats]:
    """Return the named values as float arrays, broadcast to one shape without a copy.

    Raises:
        InputError: a value is no number, or the shapes do not go together.
    """
    try:
        rows = [np.asarray(value, np.float64) for value in values.values()]
        shape = np.broadcast_shapes(*{row.shape for row in rows})
        return [row if row.shape == shape else np.broadcast_to(row, shape) for row in rows]
    except (TypeError, ValueError) as error:
        names = ", ".join(values)
        raise InputError(f"{names}: {error}", needed="numbers, or arrays of shapes that broadcast") from error


def require_positive(**values: Floats) -> None:
    """Check that each value is above zero and finite.

    Raises:
        InputError: it names the first value that is not, and its row.
    """
    for name, rows in values.items():
        _require(name, rows, (rows > 0) & (rows < np.inf), f"{name} above 0 and finite")


def require_not_negative(**values: Floats) -> None:
    """Check that each value is 0 or above and finite; errors as of `require_positive`."""
    for name, rows in values.items():
        _require(name, rows, (rows >= 0) & (rows < np.inf), f"{name} of 0 or above, finite")


def require_finite(**values: Floats) -> None:
    """Check that each value is finite; errors as of `require_positive`."""
    for name, rows in values.items():
        _require(name, rows, np.isfinite(rows), f"a finite {name}")


def _require(name: str, rows: Floats, good: NDArray[np.bool_], needed: str) -> None:
    if not good.all():
        row = int(np.argmin(good))
        raise InputError(f"{name} = {rows.flat[row]:g} in row {row}", needed=needed)


def run_in_blocks(
    kernel: Callable[..., Sequence[Floats]], inputs: Sequence[Floats], outputs: int
) -> list[Floats]:
    """Return the ``outputs`` arrays of a kernel over one-dimensional blocks of the inputs, in their shape."""
    shape, rows = inputs[0].shape, inputs[0].size
    flat = [values.reshape(rows) for values in inputs]
    found = np.empty((outputs, rows))
    for start in range(0, rows, _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        for output, values in zip(found, kernel(*(each[block] for each in flat)), strict=True):
            output[block] = values
    return [output.reshape(shape) for output in found]
