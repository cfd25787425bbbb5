"""Kernels over blocks give what one pass over all rows would."""

import numpy as np
import pytest

from onchain_exec.errors import InputError
from onchain_exec.pricing.rows import require_finite, require_not_negative, run_in_blocks, to_rows


@pytest.mark.parametrize("shape", [(), (0,), (1,), (4_096,), (4_097,), (3, 5_000)])
def test_run_in_blocks_is_the_kernel_on_all_rows(shape):
    values = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
    doubled, squared = run_in_blocks(lambda rows: (2 * rows, rows * rows), [values], 2)
    assert doubled.shape == squared.shape == shape
    assert (doubled == 2 * values).all()
    assert (squared == values * values).all()


def test_to_rows_of_text_is_refused():
    with pytest.raises(InputError, match="strike"):
        to_rows(strike=["ten"])


def test_requirements_name_the_first_bad_row():
    with pytest.raises(InputError, match="vol = -2 in row 1"):
        require_not_negative(vol=np.array([0.0, -2.0, -3.0]))
    with pytest.raises(InputError, match="rate = inf in row 2"):
        require_finite(rate=np.array([[0.0, 1.0], [np.inf, 0.0]]))
